use super::*;
use crate::providers::net::testing::NamesOfTest;

const NONE: &str = "Name or service not known";
const SILENT: &str = "Temporary failure in name resolution";

/// Name servers that answer for `status.example.net`, which was asked for.
async fn answering() -> (NamesOfTest, Directory) {
    let names = NamesOfTest::default();
    names.answer("status.example.net", Ok("192.0.2.1"));
    let directory = names.directory();
    directory.addresses("status.example.net").await.unwrap();
    (names, directory)
}

#[tokio::test]
async fn a_name_is_gone_while_another_one_is_answered_for() {
    let (names, directory) = answering().await;
    names.answer("api.example.com", Ok("192.0.2.2"));
    directory.addresses("api.example.com").await.unwrap();
    for words in [NONE, "No address associated with hostname", "Name does not resolve"] {
        names.answer("api.example.com", Err(words));
        let error = directory.addresses("api.example.com").await.unwrap_err();
        let (host, other) = ("api.example.com".to_owned(), "status.example.net".to_owned());
        assert_eq!(error, NameError::Gone { host, other, before: true });
        assert!(!error.to_string().contains("misspelt"), "{error}");
    }
}

#[tokio::test]
async fn a_name_that_never_had_an_address_may_be_misspelt() {
    let (names, directory) = answering().await;
    names.answer("apj.example.com", Err(NONE));
    let error = directory.addresses("apj.example.com").await.unwrap_err();
    assert!(error.to_string().contains("a misspelt name looks the same"), "{error}");
}

#[tokio::test]
async fn a_zone_that_is_gone_as_a_whole_is_told_by_a_name_outside_of_it() {
    let (names, directory) = answering().await;
    let zone: Vec<String> = (0..9).map(|number| format!("n{number}.example.com")).collect();
    for host in &zone {
        names.answer(host, Ok("192.0.2.3"));
        directory.addresses(host).await.unwrap();
    }
    zone.iter().for_each(|host| names.answer(host, Err(NONE)));
    // Probes of the reference go on asking for their names.
    directory.addresses("status.example.net").await.unwrap();
    for host in &zone {
        assert!(matches!(directory.addresses(host).await, Err(NameError::Gone { .. })), "{host}");
    }
}

#[tokio::test]
async fn name_servers_that_answer_for_no_other_name_prove_nothing() {
    let (names, directory) = answering().await;
    names.answer("api.example.com", Err(NONE));
    names.answer("own.example.com", Ok("127.0.0.1"));
    for answer in [SILENT, NONE] {
        // This host answers for its own names, whatever became of its name servers.
        directory.addresses("own.example.com").await.unwrap();
        names.answer("status.example.net", Err(answer));
        let error = directory.addresses("api.example.com").await.unwrap_err();
        assert_eq!(error, NameError::NoAddress { host: "api.example.com".into() });
    }
}

#[tokio::test]
async fn silence_and_failures_of_name_servers_say_nothing_of_the_name() {
    let (names, directory) = answering().await;
    for words in [SILENT, "Non-recoverable failure in name resolution", "Try again", "System error"] {
        names.answer("api.example.com", Err(words));
        let error = directory.addresses("api.example.com").await.unwrap_err();
        assert!(matches!(error, NameError::Silent { .. }), "{words}: {error}");
    }
}

#[tokio::test]
async fn a_name_that_the_servers_do_not_deny_in_so_many_words_is_not_gone() {
    let (names, directory) = answering().await;
    names.answer("api.example.com", Err(NONE));
    names.deny_with("10.0.0.2 answers FORMERR, it cannot read the question");
    let error = directory.addresses("api.example.com").await.unwrap_err();
    assert!(matches!(error, NameError::Silent { .. }), "{error}");
    assert!(error.to_string().contains("10.0.0.2 answers FORMERR"), "{error}");
    assert!(error.next_step().contains("says nothing of the service"));
}

#[tokio::test]
async fn an_address_is_no_question_and_no_proof() {
    let directory = NamesOfTest::default().directory();
    assert_eq!(directory.addresses("::1").await.unwrap(), ["::1".parse::<IpAddr>().unwrap()]);
    assert!(directory.others("api.example.com").is_empty());
}

#[tokio::test]
async fn only_so_many_names_are_remembered() {
    let (names, directory) = answering().await;
    for number in 0..MAX_REMEMBERED + 20 {
        let host = format!("n{number}.example.com");
        names.answer(&host, Ok("192.0.2.3"));
        directory.addresses(&host).await.unwrap();
    }
    assert_eq!(directory.answered().len(), MAX_REMEMBERED);
    assert!(!directory.answered().contains_key("status.example.net"));
}
