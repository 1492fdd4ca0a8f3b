//! The connection to the engine: made, held, and made again when it is lost.

use crate::base::ids::ProbeId;
use crate::core::words::command::Ask;
use crate::engine::client::{ANSWER_TIMEOUT, Client, ClientError};
use crate::engine::protocol::{SILENT_AFTER, ToClient};
use crate::engine::spawn::SpawnError;
use futures::future::BoxFuture;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};

/// Messages that wait for the screen.
const QUEUE: usize = 256;
/// Pauses between two tries to find the engine again.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// How long the engine may be out of reach before its end is taken for one.
const MISSED: Duration = Duration::from_secs(3);

/// How to reach an engine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum How {
    /// Only attach to one that runs.
    Attach,
    /// Start one when none runs.
    Start,
}

/// Reaches the engine of the console's state folder.
pub type Connect = Box<dyn Fn(How) -> BoxFuture<'static, Result<Client, SpawnError>> + Send + Sync>;

/// Why the engine cannot be attached to.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// It cannot be reached or started.
    #[error(transparent)]
    Spawn(#[from] SpawnError),
    /// It does not answer.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// It does not want this client.
    #[error("{why}. {next}")]
    Refused {
        why: String,
        /// What can be done.
        next: String,
    },
}

/// What comes over the link.
#[derive(Debug)]
pub enum News {
    /// The engine said something.
    Engine(ToClient),
    /// The engine is there and says nothing.
    Silent {
        /// When it was last heard, by this process's own clock.
        since: Instant,
        /// Its process, where the system says it.
        pid: Option<u32>,
    },
    /// The engine runs as this user, who is another one.
    OfAnother(String),
    /// The engine is out of reach; it is being looked for.
    Lost(String),
    /// Another one could not be started.
    NotStarted(String),
    /// The first one could not be attached to; nothing further comes.
    Failed(LinkError),
}

/// What is sent over the link.
#[derive(Debug)]
pub enum Order {
    /// To the engine, if there is one.
    Ask(Ask),
    /// What is behind a signal is asked of it, if there is one.
    Diagnose(ProbeId),
    /// Start an engine.
    Start,
}

/// Both ends for the loop. Dropping it ends the connection, not the engine.
#[derive(Debug)]
pub struct Link {
    /// What comes.
    pub news: mpsc::Receiver<News>,
    /// What goes.
    pub orders: mpsc::UnboundedSender<Order>,
}

impl Link {
    /// Begins to connect.
    pub fn start(connect: Connect) -> Self {
        let (told, news) = mpsc::channel(QUEUE);
        let (orders, taken) = mpsc::unbounded_channel();
        tokio::spawn(hold(connect, told, taken));
        Self { news, orders }
    }
}

/// How a connection ended.
enum End {
    /// The engine took its leave.
    Said,
    /// It broke.
    Lost(String),
    /// The loop is gone.
    Closed,
}

async fn hold(connect: Connect, news: mpsc::Sender<News>, mut orders: mpsc::UnboundedReceiver<Order>) {
    let mut how = How::Start;
    let mut pause = FIRST_PAUSE;
    // Since when the engine is out of reach, and whether its end was told; nothing before the first time.
    let mut missing: Option<(Instant, bool)> = None;
    loop {
        let told = match (attach(&connect, how, &news).await, missing) {
            (Ok((client, welcome)), _) => {
                pause = FIRST_PAUSE;
                let of_another = client.of_another().map(|user| News::OfAnother(user.to_owned()));
                for word in std::iter::once(News::Engine(welcome)).chain(of_another) {
                    if news.send(word).await.is_err() {
                        return;
                    }
                }
                let end = serve(client, &news, &mut orders).await;
                missing = Some((Instant::now(), matches!(end, End::Said)));
                match end {
                    End::Closed => return,
                    End::Said => Ok(()),
                    End::Lost(why) => news.send(News::Lost(why)).await,
                }
            }
            (Err(error), None) => {
                let _ = news.send(News::Failed(error)).await;
                return;
            }
            (Err(error), Some(_)) if how == How::Start => {
                news.send(News::NotStarted(error.to_string())).await
            }
            (Err(error), Some((since, false))) if since.elapsed() > MISSED => {
                missing = Some((since, true));
                news.send(News::Engine(last_words(&error))).await
            }
            (Err(_), Some(_)) => Ok(()),
        };
        if told.is_err() {
            return;
        }
        how = How::Attach;
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            order = orders.recv() => match order {
                Some(Order::Start) => how = How::Start,
                // The screen says that the engine is out of reach, and sends nothing then; this one crossed.
                Some(Order::Ask(_) | Order::Diagnose(_)) => {}
                None => return,
            },
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

async fn attach(
    connect: &Connect,
    how: How,
    news: &mpsc::Sender<News>,
) -> Result<(Client, ToClient), LinkError> {
    let mut client = connect(how).await?;
    let (since, pid) = (Instant::now(), client.pid());
    let answered = {
        let answer = client.answer();
        tokio::pin!(answer);
        tokio::select! {
            answered = &mut answer => answered,
            () = tokio::time::sleep(SILENT_AFTER) => {
                // An error means that the loop is gone, which is noticed with the next word to it.
                let _ = news.send(News::Silent { since, pid }).await;
                answer.await
            }
        }
    };
    match answered? {
        ToClient::Goodbye { why, next } => Err(LinkError::Refused { why, next }),
        welcome => Ok((client, welcome)),
    }
}

/// What there is to say of an engine that went without a word, or is there and says none.
fn last_words(error: &LinkError) -> ToClient {
    let (why, next) = match error {
        LinkError::Spawn(SpawnError::Client(socket @ ClientError::Socket { .. })) => {
            return ToClient::Goodbye {
                why: socket.to_string(),
                next: "Mend that, then attach again.".into(),
            };
        }
        LinkError::Client(ClientError::Silent(_)) => (
            "the engine is there and does not answer",
            "End its process, whose number is in journal/lock of the state folder, then start it again.",
        ),
        _ => (
            "the engine is not there any more",
            "It left no word: its log, engine.log in the state folder, may tell why.",
        ),
    };
    ToClient::Goodbye { why: why.into(), next: next.into() }
}

/// Carries messages both ways until one of the ends is gone. A slow engine holds up neither reading nor keys.
async fn serve(
    client: Client,
    news: &mpsc::Sender<News>,
    orders: &mut mpsc::UnboundedReceiver<Order>,
) -> End {
    let pid = client.pid();
    let (mut sender, mut receiver) = client.split();
    // Until when the engine has to say something; none while nothing was asked.
    let deadline = watch::Sender::new(None::<Instant>);
    let reading = async {
        let mut since = Instant::now();
        let mut silent = false;
        loop {
            // What came while this process stood still is looked at first: that silence was its own.
            let heard = tokio::time::timeout(SILENT_AFTER, receiver.next()).await;
            let Ok(message) = heard else {
                if !std::mem::replace(&mut silent, true)
                    && news.send(News::Silent { since, pid }).await.is_err()
                {
                    return End::Closed;
                }
                continue;
            };
            (since, silent) = (Instant::now(), false);
            match message {
                Ok(message) => {
                    deadline.send_replace(None);
                    let last = matches!(message, ToClient::Goodbye { .. });
                    if news.send(News::Engine(message)).await.is_err() {
                        return End::Closed;
                    }
                    if last {
                        return End::Said;
                    }
                }
                Err(error) => return End::Lost(error.to_string()),
            }
        }
    };
    let writing = async {
        loop {
            let due = *deadline.borrow();
            tokio::select! {
                order = orders.recv() => match order {
                    Some(Order::Ask(ask)) => {
                        if let Err(error) = sender.ask(ask).await {
                            return End::Lost(error.to_string());
                        }
                        deadline.send_replace(Some(Instant::now() + ANSWER_TIMEOUT));
                    }
                    Some(Order::Diagnose(probe)) => {
                        if let Err(error) = sender.diagnose(probe).await {
                            return End::Lost(error.to_string());
                        }
                    }
                    Some(Order::Start) => {}
                    None => return End::Closed,
                },
                () = sleep_until(due), if due.is_some() => {
                    if deadline.borrow().is_some_and(|deadline| deadline <= Instant::now()) {
                        return End::Lost(ClientError::Silent(pid).to_string());
                    }
                }
            }
        }
    };
    tokio::select! {
        end = reading => end,
        end = writing => end,
    }
}

async fn sleep_until(at: Option<Instant>) {
    if let Some(at) = at {
        tokio::time::sleep_until(at.into()).await;
    }
}
