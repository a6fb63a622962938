//! Announcers against trackers of paper, on virtual time.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use super::*;
use crate::api::TrackerState;
use crate::base::{Moment, Rng, Span};
use crate::wire::tracker::{Event, RetryIn};

const DOWNLOADING: Stats =
    Stats { uploaded: 0, downloaded: 0, left: 100, want_peers: true, partial_seed: false };

/// What happens at a tracker of paper.
#[derive(Clone, Debug)]
enum Paper {
    Answers(Answer),
    Fails(Failure),
    Silent,
}

/// One announcer, its trackers, and all that was said: seconds, tracker, what.
struct Stage {
    announcer: Announcer,
    papers: BTreeMap<String, Paper>,
    now: Moment,
    said: Vec<(u64, String, String)>,
    silent: Vec<u64>,
    peers: Vec<SocketAddr>,
    stats: Stats,
}

impl Stage {
    fn new(tiers: &[&[&str]], papers: &[(&str, Paper)]) -> Self {
        let tiers = tiers
            .iter()
            .map(|tier| tier.iter().map(|url| format!("http://{url}/announce")).collect())
            .collect();
        Self {
            announcer: Announcer::new(tiers, Rng::new(7)),
            papers: papers
                .iter()
                .map(|(url, paper)| (format!("http://{url}/announce"), paper.clone()))
                .collect(),
            now: Moment::ZERO,
            said: Vec::new(),
            silent: Vec::new(),
            peers: Vec::new(),
            stats: DOWNLOADING,
        }
    }

    /// Lets `secs` pass; questions are answered at once.
    fn run(&mut self, secs: u64) {
        let end = self.now + Span::from_secs(secs);
        loop {
            let mut steps = 0;
            while let Some(request) = self.announcer.poll(self.now, self.stats) {
                self.answer(&request);
                steps += 1;
                assert!(steps < 1_000, "it never rests");
            }
            let next = self.announcer.next_deadline();
            assert!(next > self.now, "a deadline that is past brings a question");
            if next > end {
                self.now = end;
                return;
            }
            self.now = next;
        }
    }

    fn answer(&mut self, request: &AnnounceRequest) {
        let host = request.url.trim_start_matches("http://").trim_end_matches("/announce").to_owned();
        let what =
            if request.kind == Kind::Scrape { "scrape".to_owned() } else { format!("{:?}", request.event) };
        self.said.push((self.now.since(Moment::ZERO).secs(), host, what));
        let outcome = match &self.papers[&*request.url] {
            Paper::Answers(answer) => Ok(answer.clone()),
            Paper::Fails(failure) => Err(failure.clone()),
            Paper::Silent => return self.silent.push(request.id),
        };
        self.peers.extend(self.announcer.handle(self.now, request.id, outcome));
    }

    fn said_to(&self, host: &str) -> Vec<&str> {
        self.said.iter().filter(|(_, to, _)| to == host).map(|(_, _, what)| what.as_str()).collect()
    }

    fn times(&self, host: &str) -> Vec<u64> {
        self.said.iter().filter(|(_, to, _)| to == host).map(|(at, _, _)| *at).collect()
    }
}

fn good() -> Paper {
    Paper::Answers(Answer {
        complete: Some(1),
        incomplete: Some(2),
        interval_secs: Some(600),
        ..Answer::default()
    })
}

fn dead() -> Paper {
    Paper::Fails(Failure::Timeout)
}

#[test]
fn each_event_is_told_once() {
    let mut stage = Stage::new(&[&["a"]], &[("a", good())]);
    stage.announcer.start(stage.now);
    stage.announcer.start(stage.now);
    stage.run(1_500);
    stage.stats.left = 0;
    stage.announcer.completed(stage.now);
    stage.run(1_000);
    stage.announcer.stop(stage.now);
    assert!(stage.announcer.saying_farewell());
    stage.run(10_000);
    assert!(!stage.announcer.saying_farewell());
    assert_eq!(stage.said_to("a"), ["Started", "None", "None", "Completed", "None", "Stopped"]);
    stage.announcer.start(stage.now);
    stage.run(1);
    assert_eq!(stage.said_to("a").last(), Some(&"Started"));
}

#[test]
fn a_tracker_that_never_knew_of_the_download_hears_of_a_seed() {
    let mut stage = Stage::new(&[&["a"]], &[("a", dead())]);
    stage.announcer.start(stage.now);
    stage.run(3);
    stage.announcer.completed(stage.now);
    stage.papers.insert("http://a/announce".into(), good());
    stage.run(100);
    assert_eq!(stage.said_to("a"), ["Started", "Started", "Started"]);
}

#[test]
fn a_completion_while_the_greeting_is_under_way_follows_it() {
    let mut stage = Stage::new(&[&["a"]], &[("a", Paper::Silent)]);
    stage.announcer.start(stage.now);
    stage.run(1);
    stage.announcer.completed(stage.now);
    stage.papers.insert("http://a/announce".into(), good());
    let id = stage.silent[0];
    stage.announcer.handle(stage.now, id, Ok(Answer::default()));
    stage.run(1);
    assert_eq!(stage.said_to("a"), ["Started", "Completed", "scrape"]);
}

#[test]
fn a_failed_completion_is_told_again_and_a_farewell_is_not() {
    let mut stage = Stage::new(&[&["a"]], &[("a", good())]);
    stage.announcer.start(stage.now);
    stage.run(1);
    stage.announcer.completed(stage.now);
    stage.papers.insert("http://a/announce".into(), dead());
    stage.run(4);
    stage.papers.insert("http://a/announce".into(), good());
    stage.run(10);
    assert_eq!(stage.said_to("a"), ["Started", "Completed", "Completed", "Completed"]);
    stage.papers.insert("http://a/announce".into(), dead());
    stage.announcer.stop(stage.now);
    stage.run(1_000);
    assert_eq!(stage.said_to("a")[4..], ["Stopped"]);
    assert!(!stage.announcer.saying_farewell());
}

#[test]
fn one_tracker_of_each_tier_is_announced_to_and_stays_in_front() {
    let mut stage = Stage::new(
        &[&["a", "b", "c"], &["d"]],
        &[("a", dead()), ("b", good()), ("c", dead()), ("d", good())],
    );
    stage.announcer.start(stage.now);
    stage.run(3_000);
    assert!(stage.times("b").iter().filter(|at| **at == 0).count() == 1, "found at once: {:?}", stage.said);
    assert!(stage.times("a").len() <= 1 && stage.times("c").len() <= 1);
    assert_eq!((stage.times("b").len(), stage.times("d").len()), (5, 5));
    // It fails: the others are tried at once, and it takes its turn again.
    stage.papers.insert("http://b/announce".into(), dead());
    stage.papers.insert("http://c/announce".into(), good());
    stage.run(700);
    let failed_at = *stage.times("b").last().expect("it was asked");
    assert_eq!(stage.times("c").last(), Some(&failed_at));
    stage.run(3_000);
    assert_eq!(stage.times("b").last(), Some(&failed_at));
    stage.announcer.stop(stage.now);
    stage.run(1);
    // Each that knew of us hears the farewell.
    for host in ["b", "c", "d"] {
        assert_eq!(stage.said_to(host).last(), Some(&"Stopped"), "{host}");
    }
    assert!(!stage.said_to("a").contains(&"Stopped"));
}

#[test]
fn local_trackers_are_announced_to_whatever_else_works() {
    let papers =
        [("127.0.0.1:6969", good()), ("192.168.1.2:6969", good()), ("far", good()), ("farther", good())];
    let mut stage = Stage::new(&[&["127.0.0.1:6969", "192.168.1.2:6969", "far", "farther"]], &papers);
    stage.announcer.start(stage.now);
    stage.run(1);
    let mut asked: Vec<_> = stage.said.iter().map(|(_, host, _)| host.as_str()).collect();
    asked.sort_unstable();
    assert_eq!((asked.len(), &asked[..2]), (3, &["127.0.0.1:6969", "192.168.1.2:6969"][..]));
}

#[test]
fn a_tier_is_shuffled_by_the_seed() {
    let first = |seed| {
        let tier: Vec<String> = (0..6).map(|at| format!("http://t{at}/announce")).collect();
        let mut announcer = Announcer::new(vec![tier], Rng::new(seed));
        announcer.start(Moment::ZERO);
        announcer.poll(Moment::ZERO, DOWNLOADING).expect("an announce").url.to_string()
    };
    let firsts: std::collections::BTreeSet<_> = (0..60).map(first).collect();
    assert_eq!(firsts.len(), 6);
    assert_eq!(first(3), first(3));
}

#[test]
fn a_tracker_that_is_just_starting_is_found_in_seconds_and_a_dead_one_left_in_peace() {
    let mut stage = Stage::new(&[&["a"]], &[("a", dead())]);
    stage.announcer.start(stage.now);
    stage.run(86_400);
    let times = stage.times("a");
    let gaps: Vec<u64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!((2..=3).contains(&gaps[0]) && (5..=6).contains(&gaps[1]) && gaps[2] <= 17, "{gaps:?}");
    assert!(gaps[10..].iter().all(|gap| (3_600..=3_961).contains(gap)), "{gaps:?}");
    let row = &stage.announcer.rows(stage.now)[0];
    assert_eq!(row.state, TrackerState::Failed("no answer in time".to_owned()));
    assert!(row.next_secs.is_some_and(|secs| secs <= 3_961));
}

#[test]
fn a_refusal_is_not_pressed() {
    let no = |retry_in| Paper::Fails(Failure::Refused { reason: "unregistered".into(), retry_in });
    let papers = [
        ("a", no(None)),
        ("b", no(Some(RetryIn::Minutes(10)))),
        ("c", no(Some(RetryIn::Never))),
        ("d", no(Some(RetryIn::Minutes(0)))),
    ];
    let mut stage = Stage::new(&[&["a"], &["b"], &["c"], &["d"]], &papers);
    stage.announcer.start(stage.now);
    stage.run(1_000);
    assert!(stage.times("a")[1] >= 30 && stage.times("b")[1] >= 600 && stage.times("d")[1] >= 60);
    assert_eq!(stage.times("c"), [0]);
    assert_eq!(stage.announcer.rows(stage.now)[2].next_secs, None);
    stage.announcer.ask_now(stage.now);
    stage.run(1);
    assert_eq!(stage.times("c").len(), 2);
}

#[test]
fn intervals_are_kept_in_bounds() {
    for (interval, min, least, most) in [
        (None, None, 1_800, 1_890),
        (Some(0), None, 60, 63),
        (Some(10), Some(10), 10, 11),
        (Some(1), Some(0), 5, 6),
        (Some(100), Some(900), 900, 945),
        (Some(u32::MAX), None, 86_400, 90_720),
        (Some(900), Some(u32::MAX), 86_400, 90_720),
    ] {
        let answer = Answer {
            interval_secs: interval,
            min_interval_secs: min,
            complete: Some(0),
            ..Answer::default()
        };
        let mut stage = Stage::new(&[&["a"]], &[("a", Paper::Answers(answer))]);
        stage.announcer.start(stage.now);
        stage.run(200_000);
        for pair in stage.times("a").windows(2) {
            assert!((least..=most).contains(&(pair[1] - pair[0])), "{interval:?} {min:?} {pair:?}");
        }
    }
}

#[test]
fn asking_by_hand_waits_until_it_is_welcome() {
    let answer = Answer {
        interval_secs: Some(1_800),
        min_interval_secs: Some(300),
        complete: Some(1),
        ..Answer::default()
    };
    let mut stage = Stage::new(&[&["a"]], &[("a", Paper::Answers(answer))]);
    stage.announcer.start(stage.now);
    stage.run(10);
    stage.announcer.ask_now(stage.now);
    stage.run(900);
    assert_eq!(stage.times("a"), [0, 300]);
    stage.announcer.ask_now(stage.now);
    stage.run(0);
    assert_eq!(stage.times("a"), [0, 300, 910]);
}

#[test]
fn counts_that_an_announce_lacks_are_scraped() {
    let bare = Answer { interval_secs: Some(600), ..Answer::default() };
    let mut stage = Stage::new(&[&["a"]], &[("a", Paper::Answers(bare))]);
    stage.announcer.start(stage.now);
    stage.run(700);
    assert_eq!(stage.said_to("a"), ["Started", "scrape", "None", "scrape"]);
    let scrape = AnnounceRequestProbe::scrape(&mut stage);
    let counts = Answer { complete: Some(5), incomplete: Some(6), ..Answer::default() };
    stage.announcer.handle(stage.now, scrape, Ok(counts));
    assert_eq!(stage.announcer.swarm(), Some((6, 5)));
    // One that cannot be scraped is left alone for long.
    let scrape = AnnounceRequestProbe::scrape(&mut stage);
    stage.announcer.handle(stage.now, scrape, Err(Failure::Timeout));
    stage.said.clear();
    stage.run(3_600);
    assert!(!stage.said_to("a").contains(&"scrape"));
}

/// Brings the stage to its next scrape and leaves it open.
struct AnnounceRequestProbe;

impl AnnounceRequestProbe {
    fn scrape(stage: &mut Stage) -> u64 {
        loop {
            stage.now = stage.now.max(stage.announcer.next_deadline());
            let request = stage.announcer.poll(stage.now, stage.stats).expect("something is due");
            if request.kind == Kind::Scrape {
                return request.id;
            }
            stage.answer(&request);
        }
    }
}

#[test]
fn stopping_while_greeting_says_farewell_only_where_the_greeting_arrived() {
    for (outcome, said) in [(Ok(Answer::default()), 2), (Err(Failure::Timeout), 1)] {
        let mut stage = Stage::new(&[&["a"]], &[("a", Paper::Silent)]);
        stage.announcer.start(stage.now);
        stage.run(1);
        stage.announcer.stop(stage.now);
        assert!(stage.announcer.saying_farewell());
        stage.run(1);
        let id = stage.silent[0];
        stage.papers.insert("http://a/announce".into(), good());
        let peers = stage.announcer.handle(stage.now, id, outcome);
        assert!(peers.is_empty());
        stage.run(1);
        assert_eq!(stage.said_to("a").len(), said);
        assert!(!stage.announcer.saying_farewell());
    }
}

#[test]
fn stopping_does_not_wait_for_a_question_that_hangs() {
    let mut stage = Stage::new(&[&["a"]], &[("a", good())]);
    stage.announcer.start(stage.now);
    stage.run(1);
    stage.papers.insert("http://a/announce".into(), Paper::Silent);
    stage.run(1_000);
    stage.announcer.stop(stage.now);
    stage.papers.insert("http://a/announce".into(), good());
    stage.run(1);
    assert_eq!(stage.said_to("a"), ["Started", "None", "Stopped"]);
    let late = stage.silent[0];
    let answer = Answer { peers: vec![([1, 2, 3, 4], 5).into()], ..Answer::default() };
    assert!(stage.announcer.handle(stage.now, late, Ok(answer)).is_empty());
}

#[test]
fn a_torrent_started_again_during_its_farewell_greets_after_it() {
    let mut stage = Stage::new(&[&["a"]], &[("a", good())]);
    stage.announcer.start(stage.now);
    stage.run(1);
    stage.papers.insert("http://a/announce".into(), Paper::Silent);
    stage.announcer.stop(stage.now);
    stage.run(1);
    stage.announcer.start(stage.now);
    stage.run(1);
    stage.announcer.completed(stage.now);
    stage.papers.insert("http://a/announce".into(), good());
    let id = stage.silent[0];
    stage.announcer.handle(stage.now, id, Ok(Answer::default()));
    stage.run(1);
    assert_eq!(stage.said_to("a"), ["Started", "Stopped", "Started"]);
}

#[test]
fn what_the_tracker_says_is_shown_and_told_again() {
    let answer = Answer {
        peers: vec![([1, 2, 3, 4], 5).into()],
        complete: Some(3),
        incomplete: Some(4),
        warning: Some("slow down".into()),
        tracker_id: Some(b"me".to_vec()),
        ..Answer::default()
    };
    let mut stage = Stage::new(&[&["a"]], &[("a", Paper::Answers(answer))]);
    assert_eq!(stage.announcer.rows(stage.now)[0].state, TrackerState::Waiting);
    stage.announcer.start(stage.now);
    let request = stage.announcer.poll(stage.now, stage.stats).expect("a greeting");
    assert_eq!((request.tracker_id.clone(), request.numwant), (None, 200));
    assert_eq!(stage.announcer.rows(stage.now)[0].state, TrackerState::Announcing);
    stage.answer(&request);
    assert_eq!(stage.peers, [([1, 2, 3, 4], 5).into()]);
    let row = stage.announcer.rows(stage.now)[0].clone();
    assert_eq!(
        (row.state, row.peers, row.complete, row.incomplete),
        (TrackerState::Working, 1, Some(3), Some(4))
    );
    assert_eq!(row.warning.as_deref(), Some("slow down"));
    assert!((1_800..=1_890).contains(&row.next_secs.expect("it is asked again")));
    stage.now += Span::from_secs(2_000);
    stage.stats = Stats { want_peers: false, partial_seed: true, ..DOWNLOADING };
    let again = stage.announcer.poll(stage.now, stage.stats).expect("an announce");
    assert_eq!(
        (again.tracker_id.as_deref(), again.key, again.event),
        (Some(&b"me"[..]), request.key, Event::Paused)
    );
    assert_eq!((again.numwant, again.is_farewell()), (50, false));
}

#[test]
fn trackers_that_cannot_be_asked_say_why_and_do_not_stand_in_the_way() {
    let tiers = vec![vec![
        "wss://t/".to_owned(),
        "http://a/announce".to_owned(),
        " http://a/announce ".to_owned(),
        String::new(),
    ]];
    let mut announcer = Announcer::new(tiers, Rng::new(1));
    announcer.add_tiers(&[vec!["http://a/announce".to_owned()], vec!["http://b/announce".to_owned()]]);
    announcer.start(Moment::ZERO);
    let rows = announcer.rows(Moment::ZERO);
    assert_eq!(rows.iter().map(|row| row.tier).collect::<Vec<_>>(), [0, 0, 1]);
    assert!(matches!(&rows[0].state, TrackerState::Failed(why) if why.contains("not supported")));
    let first = announcer.poll(Moment::ZERO, DOWNLOADING).expect("the one that can be asked");
    assert_eq!(&*first.url, "http://a/announce");
    let many = (0..1_000).map(|at| vec![format!("http://t{at}/announce")]).collect();
    assert_eq!(Announcer::new(many, Rng::new(1)).rows(Moment::ZERO).len(), crate::base::limits::TRACKERS);
}

#[test]
fn no_order_of_calls_breaks_it() {
    for seed in 0..300 {
        let mut rng = Rng::new(seed);
        let tiers = vec![
            vec!["http://a/announce".into(), "http://b/announce".into()],
            vec!["udp://127.0.0.1:1".into()],
        ];
        let mut announcer = Announcer::new(tiers, rng.fork());
        let (mut now, mut open, mut balance) = (Moment::ZERO, Vec::new(), BTreeMap::<String, i32>::new());
        for _ in 0..300 {
            now += Span::from_millis(rng.below(200_000) as u64);
            match rng.below(8) {
                0 => announcer.start(now),
                1 => announcer.stop(now),
                2 => announcer.completed(now),
                3 => announcer.ask_now(now),
                4 if !open.is_empty() => {
                    let (id, url, event) = open.swap_remove(rng.below(open.len()));
                    let outcome =
                        if rng.below(2) == 0 { Ok(Answer::default()) } else { Err(Failure::Timeout) };
                    // A tracker that heard us start hears us stop before we start again.
                    match (event, &outcome) {
                        (Event::Started, Ok(_)) => *balance.entry(url).or_default() += 1,
                        (Event::Stopped, _) => *balance.entry(url).or_default() -= 1,
                        _ => {}
                    }
                    announcer.handle(now, id, outcome);
                }
                _ => {
                    for _ in 0..100 {
                        let Some(request) = announcer.poll(now, DOWNLOADING) else { break };
                        open.push((request.id, request.url.to_string(), request.event));
                    }
                    assert_eq!(announcer.poll(now, DOWNLOADING), None);
                    assert!(announcer.next_deadline() > now);
                }
            }
            assert!(balance.values().all(|count| (-1..=1).contains(count)), "seed {seed}: {balance:?}");
            assert_eq!(announcer.rows(now).len(), 3);
        }
    }
}
