//! How fast messages are hashed, one at a time and side by side; every digest is compared with the `sha1` and `sha2` crates'.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use fyris::base::Rng;
use fyris::hash::{self, Sha1, sha1, sha1_many, sha256, sha256_many, update_many};

fn messages(count: usize, length: impl Fn(usize) -> usize) -> Vec<Vec<u8>> {
    let mut rng = Rng::new(1);
    (0..count)
        .map(|at| {
            let mut message = vec![0; length(at)];
            rng.fill(&mut message);
            message
        })
        .collect()
}

fn many(bench: &mut Criterion) {
    let mut group = bench.benchmark_group(format!("hash, up to {} lanes of {}", hash::lanes(), hash::way()));
    group.sample_size(20);
    let sets = [
        ("1 of 256 KiB", messages(1, |_| 256 << 10)),
        ("2 of 256 KiB", messages(2, |_| 256 << 10)),
        ("8 of 256 KiB", messages(8, |_| 256 << 10)),
        ("16 of 256 KiB", messages(16, |_| 256 << 10)),
        ("64 of 16 KiB", messages(64, |_| 16 << 10)),
        ("64 unequal", messages(64, |at| (at * 7_919) % (32 << 10) + 100)),
        ("1024 of 64 bytes", messages(1_024, |_| 64)),
    ];
    for (name, messages) in &sets {
        let messages: Vec<&[u8]> = messages.iter().map(|message| &message[..]).collect();
        let bytes: usize = messages.iter().map(|message| message.len()).sum();
        assert!(sha1_many(&messages).into_iter().eq(messages.iter().map(|message| sha1(message))));
        assert!(sha256_many(&messages).into_iter().eq(messages.iter().map(|message| sha256(message))));
        group.throughput(Throughput::Bytes(bytes as u64));
        group.bench_with_input(BenchmarkId::new("sha1_many", name), &messages, |bench, messages| {
            bench.iter(|| sha1_many(black_box(messages)));
        });
        group.bench_with_input(BenchmarkId::new("sha256_many", name), &messages, |bench, messages| {
            bench.iter(|| sha256_many(black_box(messages)));
        });
    }
    group.finish();
}

/// What a disk thread does with the blocks of pieces that come side by side.
fn blocks(bench: &mut Criterion) {
    let mut group = bench.benchmark_group("update_many, 64 blocks each");
    group.sample_size(20);
    let block = messages(1, |_| 16 << 10).remove(0);
    let parts = vec![block; 64];
    for pieces in [1, 2, 4, 8, 16] {
        group.throughput(Throughput::Bytes(pieces as u64 * (1 << 20)));
        group.bench_function(BenchmarkId::from_parameter(pieces), |bench| {
            bench.iter(|| {
                let mut work: Vec<(Sha1, &[Vec<u8>])> =
                    (0..pieces).map(|_| (Sha1::new(), &parts[..])).collect();
                update_many(&mut work);
                work
            });
        });
    }
    group.finish();
}

criterion_group!(benches, many, blocks);
criterion_main!(benches);
