//! The network of a session, on a thread of its own: it hosts a coordinator or has joined one, is a member there as user and
//! as tracker, and tells the session what changes. A large index or a slow disk is nothing that transfers wait for.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, timeout};

use crate::api::{
    AddOptions, Event, Level, LogLine, NetworkCommand, NetworkRules, NetworkView, Part, RequestId, Settings,
};
use crate::base::InfoHash;
use crate::net::calm::Calm;
use crate::net::clock::Clock;
use crate::net::network::asked::{Asked, Looked};
use crate::net::network::keep::Keeper;
use crate::net::network::member::{LEAVING, TrackerRole, UserFacts, UserRole, Wish, attend};
use crate::net::network::{Client, Host, HostConfig, Identity};
use crate::net::post::{Inbox, Post};
use crate::net::tracker::Observer;
use crate::network::{AskScreens, JoinLink, News, Place, Screen, UserList};

/// Orders that wait at most.
const ORDERS: usize = 1_024;
/// The least time between two looks at what the window shows, where something happens.
const SOON: Duration = Duration::from_millis(150);

/// What network a session begins with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Begin {
    /// None: it shares by its own tracker alone.
    #[default]
    Without,
    /// The one that the settings name: its own, or the one joined last.
    Settings,
    /// That one, for this run.
    Joined(JoinLink),
}

/// Something for the network to do.
#[derive(Debug)]
pub(in crate::net) enum Order {
    /// What a user asks for.
    Command(NetworkCommand),
    /// The tracker in this program is another one now, or none.
    Trackers(Vec<Observer>),
    /// A share is hashed: to be assigned to a tracker and put into the index.
    Upload {
        /// The share's request; nothing where the index has lost it.
        request: Option<RequestId>,
        /// Which torrent.
        torrent: InfoHash,
        /// What it is called.
        name: String,
        /// Its bencoded `info`.
        info: Vec<u8>,
    },
    /// What the user seeds or downloads has changed.
    Changed,
    /// A download has completed.
    Completed(String),
    /// The user's name has changed.
    Renamed,
}

/// Something that the session has to know or do.
#[derive(Debug)]
pub(in crate::net) enum Word {
    /// Other rules apply; none where the session is in no network.
    Rules(Option<NetworkRules>),
    /// The user has connected or disconnected.
    Rest(bool),
    /// An upload is in the index, with these tiers, or was refused.
    Uploaded(RequestId, Result<Vec<Vec<String>>, String>),
    /// These shares have to be uploaded again.
    Missing(Vec<InfoHash>),
    /// A torrent of the index is to be added.
    Fetched { request: RequestId, torrent: Vec<u8>, options: AddOptions },
    /// A .torrent of the index is to be written.
    Save { request: RequestId, torrent: Vec<u8>, path: PathBuf },
    /// Something that happened.
    Event(Event),
    /// Another network is the session's from now on: where the coordinator listens, or the link that was followed.
    Moved { listen: Option<SocketAddr>, link: Option<String> },
    /// What the window shows has changed, and whether by more than that time has passed.
    View(Arc<NetworkView>, bool),
}

/// The session's end of it.
#[derive(Debug)]
pub(in crate::net) struct Desk {
    orders: Option<mpsc::Sender<Order>>,
    facts: Arc<Mutex<UserFacts>>,
    thread: Option<JoinHandle<()>>,
}

impl Desk {
    /// Opens it; what it has to say goes to the session's loop.
    pub(in crate::net) fn open(
        begin: Begin,
        state: Option<&Path>,
        settings: &Settings,
        inbox: Inbox,
        clock: Clock,
    ) -> std::io::Result<Self> {
        let (orders, queue) = mpsc::channel(ORDERS);
        let facts = Arc::new(Mutex::new(UserFacts::default()));
        // A passing session has no window that would show more than its own.
        let looks = begin == Begin::Settings;
        let setup = Setup {
            begin,
            folder: state.map(super::folder_in),
            listen: settings.coordinator_listen,
            join: settings.join_link.clone(),
            hosts: settings.coordinator,
            bind: settings.bind,
            facts: Arc::clone(&facts),
            inbox,
            clock,
            looks,
        };
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().thread_name("network").build()?;
        let thread = Builder::new().name("network".into()).spawn(move || {
            runtime.block_on(Room::new(setup).run(queue));
            runtime.shutdown_timeout(Duration::from_secs(1));
        })?;
        Ok(Self { orders: Some(orders), facts, thread: Some(thread) })
    }

    /// Gives an order; false where too many wait.
    pub(in crate::net) fn order(&self, order: Order) -> bool {
        self.orders.as_ref().is_some_and(|orders| orders.try_send(order).is_ok())
    }

    /// Notes what the user is and does; whoever has something to tell at once gets it said with the next beat.
    pub(in crate::net) fn note(&self, change: impl FnOnce(&mut UserFacts)) {
        change(&mut self.facts.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Begins to leave; whoever drops it waits for that.
    pub(in crate::net) fn close(&mut self) {
        self.orders = None;
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.close();
        if let Some(thread) = self.thread.take() {
            // One that broke off has nothing more to say.
            let _ = thread.join();
        }
    }
}

struct Setup {
    begin: Begin,
    folder: Option<PathBuf>,
    listen: Option<SocketAddr>,
    join: Option<String>,
    hosts: bool,
    bind: Option<IpAddr>,
    facts: Arc<Mutex<UserFacts>>,
    inbox: Inbox,
    /// The session's clock, by which the facts count.
    clock: Clock,
    looks: bool,
}

/// A member that is at work.
pub(super) struct Seat {
    pub(super) wish: watch::Sender<Wish>,
    task: AbortHandle,
    /// What was last heard of it.
    pub(super) connected: bool,
    pub(super) fault: Option<String>,
}

/// Everything on the thread.
pub(super) struct Room {
    pub(super) clock: Clock,
    pub(super) identity: Result<Identity, String>,
    folder: Option<PathBuf>,
    bind: Option<IpAddr>,
    begin: Begin,
    listen: Option<SocketAddr>,
    join: Option<String>,
    hosts: bool,
    pub(super) facts: Arc<Mutex<UserFacts>>,
    inbox: Inbox,
    /// Whether the whole network is shown, wherever it is.
    pub(super) looks: bool,
    pub(super) host: Option<Host>,
    /// Why there is no network, where there should be one.
    pub(super) fault: Option<String>,
    pub(super) client: Option<Client>,
    pub(super) user: Option<Seat>,
    /// The trackers of this program, each with its place in the network where there is one.
    pub(super) observers: Vec<Observer>,
    pub(super) seats: Vec<Seat>,
    pub(super) disconnected: bool,
    pub(super) tracker_off: bool,
    pub(super) completed: bool,
    pub(super) rules: NetworkRules,
    pub(super) trackers: Vec<Vec<String>>,
    pub(super) tracker_users: UserList,
    /// What this user has uploaded to this network.
    pub(super) uploads: Vec<InfoHash>,
    /// What has to be uploaded again once there are trackers.
    pub(super) missing: Vec<InfoHash>,
    pub(super) keeper: Option<Keeper>,
    pub(super) peer_screen: Screen,
    pub(super) tracker_screen: Screen,
    /// The screens of a coordinator, index and statistics that are elsewhere, and up to where they are known.
    pub(super) far_screens: crate::network::Screens,
    pub(super) far_known: AskScreens,
    pub(super) asked: Asked,
    /// A network that is elsewhere, as it looked last.
    pub(super) far: Option<Box<Looked>>,
    pub(super) view: Arc<NetworkView>,
    /// What of the view stands still.
    pub(super) still: NetworkView,
    members: JoinSet<()>,
    user_news: Option<mpsc::Receiver<News>>,
    tracker_news: Vec<mpsc::Receiver<News>>,
}

impl Room {
    fn new(setup: Setup) -> Self {
        let Setup { begin, folder, listen, join, hosts, bind, facts, inbox, clock, looks } = setup;
        let identity = Identity::of(folder.as_deref()).map_err(|error| error.to_string());
        Self {
            clock,
            identity,
            folder,
            bind,
            begin,
            listen,
            join,
            hosts,
            facts,
            inbox,
            looks,
            host: None,
            fault: None,
            client: None,
            user: None,
            observers: Vec::new(),
            seats: Vec::new(),
            disconnected: false,
            tracker_off: false,
            completed: false,
            rules: NetworkRules::default(),
            trackers: Vec::new(),
            tracker_users: UserList::default(),
            uploads: Vec::new(),
            missing: Vec::new(),
            keeper: None,
            peer_screen: Screen::default(),
            tracker_screen: Screen::default(),
            far_screens: crate::network::Screens::default(),
            far_known: AskScreens::default(),
            asked: Asked::default(),
            far: None,
            view: Arc::default(),
            still: NetworkView::default(),
            members: JoinSet::new(),
            user_news: None,
            tracker_news: Vec::new(),
        }
    }

    async fn run(mut self, mut orders: mpsc::Receiver<Order>) {
        self.first().await;
        let mut looked = Instant::now();
        let mut look = looked;
        let mut calm = Calm::default();
        loop {
            tokio::select! {
                order = orders.recv() => match order {
                    Some(order) => self.obey(order).await,
                    None => break,
                },
                Some(news) = heard(&mut self.user_news) => self.user_hears(news).await,
                (number, news) = heard_of_one(&mut self.tracker_news) => self.tracker_hears(number, news),
                answer = self.asked.next() => self.conclude(answer).await,
                () = tokio::time::sleep_until(look) => {
                    looked = Instant::now();
                    look = looked + calm.wait(self.look().await);
                    continue;
                }
            }
            // Something has happened, so that there is something to see soon.
            look = look.min(looked + SOON);
        }
        self.leave().await;
        if let Some(host) = self.host.take() {
            host.stop().await;
        }
    }

    /// Opens the network that the session begins with.
    async fn first(&mut self) {
        if let Some(folder) = &self.folder {
            // Where that fails the host says so, too, in words for the user.
            self.keeper = Keeper::open(folder).ok();
        }
        match std::mem::take(&mut self.begin) {
            Begin::Without => {}
            Begin::Joined(link) => self.enter(link).await,
            Begin::Settings => match self.join.take().map(|link| link.parse::<JoinLink>()) {
                Some(Ok(link)) => self.enter(link).await,
                Some(Err(error)) => self.fault = Some(format!("The network cannot be joined: {error}.")),
                None if self.hosts => {
                    let listen = self.listen;
                    if let Err(why) = self.host_at(listen).await {
                        self.log(Level::Error, why.clone()).await;
                        // For this computer alone it may work all the same.
                        let alone = listen.is_some() && self.host_at(None).await.is_ok();
                        self.on_screen(Part::Coordinator, |screen, now| screen.say(now, why.clone()));
                        if !alone {
                            self.fault = Some(why);
                        }
                    }
                }
                None => self.fault = Some("No coordinator runs here; host a network or join one.".into()),
            },
        }
    }

    /// Starts the coordinator here and becomes a member of it.
    pub(super) async fn host_at(&mut self, listen: Option<SocketAddr>) -> Result<(), String> {
        let identity = self.identity.clone()?;
        let config = HostConfig {
            folder: self.folder.clone(),
            identity,
            listen: listen.unwrap_or(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))),
            piece_length: None,
            max_connections: None,
        };
        // The one at work may have the same port, and certainly has the same index.
        let before = match self.host.take() {
            Some(host) => {
                let at = host.addr();
                host.stop().await;
                Some(at)
            }
            None => None,
        };
        match Host::start(config.clone()).await {
            Ok(host) => {
                let link = from_here(&host);
                self.host = Some(host);
                self.enter(link).await;
                Ok(())
            }
            Err(error) => {
                let why = sentence(&error.to_string());
                if let Some(listen) = before
                    && let Ok(host) = Host::start(HostConfig { listen, ..config }).await
                {
                    let link = from_here(&host);
                    self.host = Some(host);
                    self.enter(link).await;
                }
                Err(why)
            }
        }
    }

    /// Becomes a member of the network that a link leads to, and of no other.
    pub(super) async fn enter(&mut self, link: JoinLink) {
        self.leave().await;
        let client = match Client::new(link, self.bind.filter(|_| self.host.is_none())) {
            Ok(client) => client,
            Err(why) => {
                self.fault = Some(format!("The network cannot be joined: {why}."));
                return;
            }
        };
        self.uploads =
            self.keeper.as_ref().map(|keeper| keeper.uploads(client.link().fingerprint)).unwrap_or_default();
        (self.fault, self.completed, self.missing) = (None, false, Vec::new());
        let uploads = self.uploads.clone();
        self.facts.lock().unwrap_or_else(PoisonError::into_inner).shares = uploads;
        self.client = Some(client);
        self.seat_user();
        self.seat_trackers();
    }

    /// Leaves the network, whichever it is.
    pub(super) async fn leave(&mut self) {
        (self.user, self.seats) = (None, Vec::new());
        let left = async { while self.members.join_next().await.is_some() {} };
        let _ = timeout(LEAVING, left).await;
        self.members.shutdown().await;
        (self.user_news, self.tracker_news, self.client) = (None, Vec::new(), None);
        self.trackers = Vec::new();
    }

    fn seat_user(&mut self) {
        let (Some(client), Ok(identity)) = (self.client.clone(), &self.identity) else { return };
        let role = UserRole::new(client, identity.user, Arc::clone(&self.facts), self.clock);
        let (wish, wished) = watch::channel(Wish { connected: !self.disconnected, hurry: 0 });
        let (news, heard) = mpsc::channel(64);
        let task = self.members.spawn(attend(role, wished, news));
        if let Some(before) = self.user.replace(Seat { wish, task, connected: false, fault: None }) {
            before.task.abort();
        }
        self.user_news = Some(heard);
    }

    fn seat_trackers(&mut self) {
        self.tracker_users = UserList::default();
        let mut before = std::mem::take(&mut self.seats).into_iter();
        self.tracker_news.clear();
        let (Some(client), Ok(identity)) = (&self.client, &self.identity) else { return };
        for (number, observer) in self.observers.iter().enumerate() {
            let role = TrackerRole::new(client.clone(), identity.nth_tracker(number), observer.clone());
            let (wish, wished) = watch::channel(Wish { connected: !self.tracker_off, hurry: 0 });
            let (news, heard) = mpsc::channel(64);
            let task = self.members.spawn(attend(role, wished, news));
            // It registers by the same name, so that the one before need not leave. Those that are left over do.
            if let Some(before) = before.next() {
                before.task.abort();
            }
            self.seats.push(Seat { wish, task, connected: false, fault: None });
            self.tracker_news.push(heard);
        }
    }

    /// The address to ask from, where the user chose one.
    pub(super) fn bind(&self) -> Option<IpAddr> {
        self.bind
    }

    async fn obey(&mut self, order: Order) {
        match order {
            Order::Command(command) => self.command(command).await,
            Order::Trackers(observers) => {
                self.observers = observers;
                self.seat_trackers();
            }
            Order::Upload { request, torrent, name, info } => self.upload(request, torrent, name, info).await,
            Order::Changed => self.hurry(),
            Order::Completed(name) => {
                self.completed = true;
                self.peer_screen.say(self.clock.unix_now(), format!("{name} is complete and is seeded now"));
                self.hurry();
            }
            Order::Renamed => {
                // A user that registers again is known by its new name.
                if self.client.is_some() && !self.disconnected {
                    self.seat_user();
                }
            }
        }
    }

    /// Has both members tell what has changed at once.
    pub(super) fn hurry(&self) {
        for seat in self.user.iter().chain(&self.seats) {
            seat.wish.send_modify(|wish| wish.hurry += 1);
        }
    }

    pub(super) async fn tell(&self, word: Word) {
        // A session that has ended needs to know nothing more.
        let _ = self.inbox.send(Post::Network(word)).await;
    }

    pub(super) async fn log(&self, level: Level, text: String) {
        let unix_millis = self.clock.unix_millis();
        let line = LogLine { unix_millis, level, room: "network".into(), text };
        self.tell(Word::Event(Event::Log(line))).await;
    }
}

/// What one of several members hears, and which.
async fn heard_of_one(news: &mut [mpsc::Receiver<News>]) -> (usize, News) {
    std::future::poll_fn(|context| {
        for (number, news) in news.iter_mut().enumerate() {
            if let Poll::Ready(Some(heard)) = news.poll_recv(context) {
                return Poll::Ready((number, heard));
            }
        }
        Poll::Pending
    })
    .await
}

async fn heard(news: &mut Option<mpsc::Receiver<News>>) -> Option<News> {
    match news {
        Some(receiver) => match receiver.recv().await {
            Some(heard) => Some(heard),
            None => {
                *news = None;
                None
            }
        },
        None => std::future::pending().await,
    }
}

/// The way to a coordinator in this program: one that listens everywhere is there without a network, too.
fn from_here(host: &Host) -> JoinLink {
    let mut link = host.link().clone();
    let addr = host.addr();
    if addr.ip().is_unspecified() {
        let ip = if addr.is_ipv4() { IpAddr::from(Ipv4Addr::LOCALHOST) } else { Ipv6Addr::LOCALHOST.into() };
        link.places.insert(0, Place { host: ip.to_string(), port: addr.port() });
    }
    link
}

/// With a capital at the beginning and a full stop at the end.
pub(super) fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    let stop = if text.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{first}{}{stop}", chars.as_str())
}
