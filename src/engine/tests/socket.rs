use crate::core::words::command::Ask;
use crate::core::words::fact::Fact;
use crate::core::words::incident::Mode;
use crate::engine::client::{Client, ClientError, Receiver};
use crate::engine::paths::StateFolder;
use crate::engine::protocol::ToClient;
use crate::engine::{self, EngineError, Settings, name_of};
use crate::plan::Plan;
use crate::simulation::{SimulatedWorld, demo};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;
use tokio::task::JoinHandle;

fn demo_plan() -> Arc<Plan> {
    Arc::new(crate::testing::demo())
}

fn folder(path: &Path) -> StateFolder {
    StateFolder::of_plan(Some(path), path, path)
}

fn engine(path: &Path) -> JoinHandle<Result<(), EngineError>> {
    let plan = demo_plan();
    let scenario =
        demo::scenario("healthy").unwrap().resolve(&plan).unwrap_or_else(|problems| panic!("{problems}"));
    let world = SimulatedWorld::new(plan.clone(), scenario, 50.0, jiff::Timestamp::now()).unwrap();
    let settings =
        Settings { ends_alone: false, append_only: false, group: None, former_name: None, plan_file: None };
    tokio::spawn(engine::run(plan, Arc::new(world), folder(path), settings))
}

async fn attach(path: &Path) -> (Client, ToClient) {
    let socket = folder(path).socket();
    let mut client = loop {
        match Client::connect(&socket).await {
            Ok(client) => break client,
            Err(ClientError::NotRunning(_)) => tokio::task::yield_now().await,
            Err(error) => panic!("{error}"),
        }
    };
    let welcome = client.answer().await.unwrap();
    (client, welcome)
}

async fn wait_for(receiver: &mut Receiver, wanted: impl Fn(&ToClient) -> bool) {
    let wait = async { while !wanted(&receiver.next().await.unwrap()) {} };
    tokio::time::timeout(Duration::from_secs(20), wait).await.unwrap();
}

fn has(message: &ToClient, wanted: impl Fn(&Fact) -> bool) -> bool {
    matches!(message, ToClient::Events(events) if events.iter().any(|event| wanted(&event.fact)))
}

#[tokio::test]
async fn a_late_client_sees_the_same_and_knows_who_it_is() {
    let home = tempfile::tempdir().unwrap();
    let running = engine(home.path());
    let (first, welcome) = attach(home.path()).await;
    let ToClient::Welcome { operator, .. } = welcome else { panic!("no welcome") };
    let uid = rustix::process::getuid().as_raw();
    assert_eq!((operator.name.as_str(), operator.uid), (name_of(uid).as_str(), uid));
    let (mut sender, mut receiver) = first.split();
    let id = sender.ask(Ask::Declare { title: "try".into(), mode: Mode::Drill }).await.unwrap();
    wait_for(
        &mut receiver,
        |message| matches!(message, ToClient::Reply { id: of, result } if *of == id && result.is_ok()),
    )
    .await;
    let again = sender.ask(Ask::Declare { title: "twice".into(), mode: Mode::Drill }).await.unwrap();
    wait_for(&mut receiver, |message| {
        matches!(message, ToClient::Reply { id, result: Err(why) } if *id == again && why.why.contains("open already"))
    })
    .await;

    let (mut late, welcome) = attach(home.path()).await;
    let ToClient::Welcome { model, .. } = welcome else { panic!("no welcome") };
    assert_eq!(model.durable.incident.as_ref().unwrap().title, "try");
    assert_eq!(model.live.simulation.as_ref().unwrap().scenario, "healthy");

    late.stop(false).await.unwrap();
    wait_for(
        &mut receiver,
        |message| matches!(message, ToClient::Goodbye { why, .. } if why.contains("stopped it")),
    )
    .await;
    running.await.unwrap().unwrap();
    assert!(!folder(home.path()).socket().exists());
}

#[tokio::test]
async fn the_socket_of_a_dead_engine_is_replaced_and_a_second_engine_is_refused() {
    let home = tempfile::tempdir().unwrap();
    drop(tokio::net::UnixListener::bind(folder(home.path()).socket()).unwrap());
    let _running = engine(home.path());
    let (mut client, _) = attach(home.path()).await;
    let error = engine(home.path()).await.unwrap().unwrap_err().to_string();
    assert!(error.contains("already open for writing"), "{error}");
    client.stop(true).await.unwrap();
}

#[tokio::test]
async fn what_is_not_a_client_disturbs_nobody() {
    let home = tempfile::tempdir().unwrap();
    let _running = engine(home.path());
    let (client, _) = attach(home.path()).await;
    let (mut sender, mut receiver) = client.split();
    let socket = folder(home.path()).socket();
    let mut garbage = UnixStream::connect(&socket).await.unwrap();
    garbage.write_all(b"GET / HTTP/1.0\r\n\r\n").await.unwrap();
    let mut huge = UnixStream::connect(&socket).await.unwrap();
    huge.write_all(&[0x7f, 0xff, 0xff, 0xff, 0]).await.unwrap();
    let _silent = UnixStream::connect(&socket).await.unwrap();
    sender.ask(Ask::Note { text: "still here".into() }).await.unwrap();
    wait_for(&mut receiver, |message| has(message, |fact| matches!(fact, Fact::NoteAdded { .. }))).await;
}

#[tokio::test]
async fn another_protocol_is_told_so() {
    use futures::{SinkExt, StreamExt};
    let home = tempfile::tempdir().unwrap();
    let _running = engine(home.path());
    drop(attach(home.path()).await);
    let stream = UnixStream::connect(folder(home.path()).socket()).await.unwrap();
    let mut framed = tokio_util::codec::Framed::new(stream, engine::protocol::framing(1 << 20));
    framed.send(bytes::Bytes::from_static(br#"{"hello":{"version":999}}"#)).await.unwrap();
    let answer = framed.next().await.unwrap().unwrap();
    let text = String::from_utf8_lossy(&answer);
    assert!(text.contains("version 999") && text.contains("the engine keeps running"), "{text}");
}

#[tokio::test]
async fn a_folder_that_was_there_keeps_its_mode() {
    use std::os::unix::fs::PermissionsExt;
    let home = tempfile::tempdir().unwrap();
    std::fs::set_permissions(home.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let running = engine(home.path());
    let (mut client, _) = attach(home.path()).await;
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(home.path()), 0o755, "it may be everybody's");
    assert_eq!(mode(&folder(home.path()).socket()), 0o600);
    client.stop(true).await.unwrap();
    running.await.unwrap().unwrap();
}
