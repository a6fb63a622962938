//! How fast the picker names blocks: a whole torrent of 20,000 pieces from 50 peers of which each has a half.

use std::sync::Arc;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use fyris::base::{BLOCK_SIZE, Bitfield, ConnKey, PieceIndex, Rng};
use fyris::metainfo::{File, Layout};
use fyris::swarm::{Picker, Pieces, Received, Speed};

const PIECES: usize = 20_000;
const BLOCKS: u32 = 4;
const PEERS: u64 = 50;

struct Swarm {
    picker: Picker,
    pieces: Pieces,
    has: Vec<Bitfield>,
}

fn swarm() -> Swarm {
    let length = PIECES as u64 * u64::from(BLOCKS * BLOCK_SIZE);
    let file = File { path: vec!["f".into()], length, pad: false, executable: false };
    let layout = Arc::new(Layout::new(vec![file], BLOCKS * BLOCK_SIZE).expect("a layout"));
    let mut rng = Rng::new(1);
    let mut picker = Picker::new(Arc::clone(&layout), Rng::new(2));
    let has: Vec<Bitfield> = (0..PEERS)
        .map(|peer| {
            let mut has = Bitfield::new(PIECES);
            // The first two have everything between them.
            for piece in 0..PIECES {
                if if peer < 2 { piece as u64 % 2 == peer } else { rng.below(2) == 0 } {
                    has.insert(PieceIndex(piece as u32));
                }
            }
            has
        })
        .collect();
    has.iter().for_each(|has| picker.peer_has(has));
    Swarm { picker, pieces: Pieces::new(layout), has }
}

/// Asks every peer in turn for 16 blocks and takes them; gives how many blocks that were.
fn download(mut swarm: Swarm) -> usize {
    let (mut blocks, mut out) = (0, Vec::new());
    while !swarm.pieces.is_complete() {
        for peer in 0..PEERS {
            let key = ConnKey(peer);
            let has = &swarm.has[peer as usize];
            swarm.picker.pick(&swarm.pieces, key, has, 16, Speed::Fast, None, &mut out);
            for block in out.drain(..) {
                if let Received::New { piece_complete, .. } = swarm.picker.received(key, block) {
                    blocks += 1;
                    if piece_complete {
                        swarm.pieces.insert(block.piece);
                        swarm.picker.piece_done(block.piece);
                    }
                }
            }
        }
    }
    blocks
}

fn picker(bench: &mut Criterion) {
    let all = PIECES * BLOCKS as usize;
    assert_eq!(download(swarm()), all);
    let mut group = bench.benchmark_group("picker, 20,000 pieces and 50 peers");
    group.sample_size(10).throughput(Throughput::Elements(all as u64));
    group.bench_function("all blocks", |bench| bench.iter_batched(swarm, download, BatchSize::PerIteration));
    group.finish();
}

criterion_group!(benches, picker);
criterion_main!(benches);
