//! Two connections over loopback, and what ends them.

use std::net::Ipv4Addr;

use bytes::Bytes;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::*;
use crate::base::{BLOCK_SIZE, InfoHash, PeerId, PieceIndex};
use crate::wire::peer::{Handshake, Message, Reserved};

const ONE: ConnKey = ConnKey(1);

struct Side {
    line: Arc<Line>,
    posts: mpsc::Receiver<Post>,
}

impl Side {
    async fn next(&mut self) -> Input {
        match tokio::time::timeout(Duration::from_secs(20), self.posts.recv()).await {
            Ok(Some(Post::Input(input))) => input,
            other => panic!("{other:?}"),
        }
    }

    /// Everything that comes until `count` items have, and the bytes that were acknowledged meanwhile.
    async fn items(&mut self, count: usize) -> (Vec<Item>, u64) {
        let (mut all, mut acknowledged) = (Vec::new(), 0);
        while all.len() < count {
            match self.next().await {
                Input::Received { items, .. } => all.extend(items),
                Input::Sent { bytes, .. } => acknowledged += bytes,
                other => panic!("{other:?}"),
            }
        }
        (all, acknowledged)
    }
}

async fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
    let addr = listener.local_addr().expect("an address");
    (listener, addr)
}

fn dial(addr: SocketAddr) -> Side {
    let (inbox, posts) = mpsc::channel(8);
    let line = Arc::new(Line::default());
    tokio::spawn(connect(ONE, addr, None, Arc::clone(&line), inbox, Arc::default()));
    Side { line, posts }
}

async fn pair() -> (Side, Side) {
    let (listener, addr) = listener().await;
    let mut one = dial(addr);
    let (stream, _) = listener.accept().await.expect("a connection");
    assert!(matches!(one.next().await, Input::Connected { conn: ONE }));
    let (inbox, posts) = mpsc::channel(8);
    let line = Arc::new(Line::default());
    tokio::spawn(talk(ConnKey(2), stream, Arc::clone(&line), inbox, Arc::default()));
    (one, Side { line, posts })
}

fn handshake() -> Item {
    let reserved = Reserved::ours();
    Item::Handshake(Handshake { info_hash: InfoHash([1; 20]), peer_id: PeerId([2; 20]), reserved })
}

fn block(number: u32) -> Item {
    let data = Bytes::from(vec![number as u8; BLOCK_SIZE as usize]);
    Message::Piece { piece: PieceIndex(number), begin: 0, data }.into()
}

#[tokio::test]
async fn megabytes_of_blocks_arrive_in_order_both_ways_at_once() {
    const BLOCKS: u32 = 600;
    let (mut one, mut two) = pair().await;
    let said: Vec<Item> = std::iter::once(handshake()).chain((0..BLOCKS).map(block)).collect();
    for side in [&one, &two] {
        side.line.say(said[..1].to_vec());
        said[1..].chunks(7).for_each(|items| side.line.say(items.to_vec()));
    }
    let ((first, sent_one), (second, sent_two)) = tokio::join!(one.items(said.len()), two.items(said.len()));
    assert!(first == said && second == said);
    // What was not acknowledged by then is soon after.
    for (side, mut sent) in [(&mut one, sent_one), (&mut two, sent_two)] {
        while sent < u64::from(BLOCKS * BLOCK_SIZE) {
            match side.next().await {
                Input::Sent { bytes, .. } => sent += bytes,
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(sent, u64::from(BLOCKS * BLOCK_SIZE));
    }
    one.line.say(vec![Message::Choke.into()]);
    one.line.close();
    assert!(matches!(&two.items(1).await.0[..], [Item::Message(Message::Choke)]));
    assert!(matches!(two.next().await, Input::Closed { end: End::Lost, .. }));
    assert!(one.posts.recv().await.is_none(), "nothing is said of a connection that was closed");
}

#[tokio::test]
async fn another_protocol_breaks_the_connection_and_a_refused_one_fails() {
    let (listener, addr) = listener().await;
    let mut one = dial(addr);
    let (mut stream, _) = listener.accept().await.expect("a connection");
    assert!(matches!(one.next().await, Input::Connected { .. }));
    stream.write_all(b"G").await.expect("a reader");
    assert!(matches!(one.next().await, Input::Closed { conn: ONE, end: End::Broken }));
    drop(listener);
    assert!(matches!(dial(addr).next().await, Input::ConnectFailed { conn: ONE }));
}

#[tokio::test]
async fn a_peer_that_never_reads_is_given_up() {
    let (mut one, two) = pair().await;
    let have: Vec<Item> = (0..100_000).map(|piece| Message::Have(PieceIndex(piece)).into()).collect();
    // The other side's inbox is full after its first posts, so that it reads no more.
    for _ in 0..60 {
        one.line.say(have.clone());
        tokio::task::yield_now().await;
    }
    assert!(matches!(one.next().await, Input::Closed { end: End::Lost, .. }));
    drop(two);
}

#[tokio::test]
async fn a_connection_that_is_still_being_made_can_be_ended() {
    let line = Arc::new(Line::default());
    let (inbox, mut posts) = mpsc::channel(1);
    line.close();
    // An address kept for documentation: nobody answers there.
    let nowhere = SocketAddr::new(Ipv4Addr::new(192, 0, 2, 1).into(), 9);
    connect(ONE, nowhere, Some(Ipv4Addr::LOCALHOST.into()), line, inbox, Arc::default()).await;
    assert!(!matches!(posts.recv().await, Some(Post::Input(Input::Connected { .. }))));
}

#[tokio::test]
async fn doors_are_open_to_one_peer_and_only_while_his_line_stands() {
    let (listener, addr) = listener().await;
    let _first = TcpStream::connect(addr).await.expect("a connection");
    let (stream, from) = listener.accept().await.expect("a connection");
    let (inbox, mut posts) = mpsc::channel(8);
    let seats = Arc::<Seats>::default();
    seats.set_limit(8);
    let line = Line::to_us(&stream, from);
    let doors = line.open_doors(2, &seats, &inbox).expect("doors").to_vec();
    assert!(doors.len() == 2 && doors.iter().all(|door| door.ip() == addr.ip() && *door != addr));
    // Another one finds them shut, even though the machine is the same.
    let stranger = TcpSocket::new_v4().expect("a socket");
    let elsewhere = SocketAddr::from(([127, 0, 0, 2], 0));
    if stranger.bind(elsewhere).is_ok() {
        let mut stranger = stranger.connect(doors[0]).await.expect("a listener");
        assert_eq!(stranger.read(&mut [0; 1]).await.expect("an end"), 0);
    }
    for door in &doors {
        let guest = TcpStream::connect(door).await.expect("a connection");
        let here = guest.local_addr().expect("an address");
        match posts.recv().await {
            Some(Post::Incoming { addr, .. }) => assert_eq!(addr, here),
            other => panic!("{other:?}"),
        }
    }
    drop(line);
    while TcpStream::connect(doors[1]).await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert!(Line::default().open_doors(1, &seats, &inbox).is_err(), "it is not known who is there");
    let through_a_router = Line::to_us(&stream, "8.8.8.8:5000".parse().expect("an address"));
    assert!(through_a_router.open_doors(1, &seats, &inbox).is_err(), "our address means nothing there");
}
