//! How fast a large .torrent is read and written again; what is written is compared with what was read.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use fyris::base::Rng;
use fyris::bencode::{Encoder, decode};
use fyris::metainfo::Torrent;

/// The .torrent of 10,000 files in 4,096 pieces.
fn torrent() -> Vec<u8> {
    let mut hashes = vec![0; 4_096 * 20];
    Rng::new(1).fill(&mut hashes);
    let mut out = Encoder::new();
    out.dict(|torrent| {
        torrent.dict("info", |info| {
            info.list("files", |files| {
                for at in 0..10_000 {
                    files.dict(|file| {
                        file.int("length", if at == 0 { 4_096 * 16_384 - 9_999 * 1_000 } else { 1_000 });
                        file.list("path", |path| {
                            path.bytes(format!("folder {}", at / 100)).bytes(format!("file {at:05}.txt"));
                        });
                    });
                }
            });
            info.bytes("name", "many").int("piece length", 16_384).bytes("pieces", &hashes);
        });
    });
    out.finish()
}

fn bencode(bench: &mut Criterion) {
    let bytes = torrent();
    let value = decode(&bytes).expect("it was just written").root().to_value();
    assert_eq!(value.encode(), bytes);
    assert_eq!(Torrent::parse(&bytes).expect("a torrent").layout.files().len(), 10_000);
    let mut group = bench.benchmark_group("bencode, a torrent of 10,000 files");
    group.throughput(Throughput::Bytes(bytes.len() as u64));
    group.bench_function("decode", |bench| {
        bench.iter(|| decode(black_box(&bytes)).expect("a document").root().is_dict());
    });
    group.bench_function("encode", |bench| bench.iter(|| black_box(&value).encode()));
    group.bench_function("a torrent of it", |bench| {
        bench.iter(|| Torrent::parse(black_box(&bytes)).expect("a torrent"));
    });
    group.finish();
}

criterion_group!(benches, bencode);
criterion_main!(benches);
