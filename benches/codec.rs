//! How fast peers' messages are read and written; what is read is compared with what was written.

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use fyris::base::{BLOCK_SIZE, BlockRef, PieceIndex};
use fyris::wire::peer::{Message, decode, encode};

fn written(messages: &[Message]) -> bytes::BytesMut {
    let mut out = bytes::BytesMut::new();
    messages.iter().for_each(|message| encode(message, &mut out));
    out
}

fn read(mut buffer: bytes::BytesMut) -> Vec<Message> {
    let mut messages = Vec::with_capacity(2_000);
    while let Some(message) = decode(&mut buffer).expect("whole messages") {
        messages.push(message);
    }
    messages
}

fn codec(bench: &mut Criterion) {
    let small: Vec<Message> = (0..1_000)
        .flat_map(|at| {
            let block = BlockRef { piece: PieceIndex(at), begin: BLOCK_SIZE, len: BLOCK_SIZE };
            [Message::Request(block), Message::Have(PieceIndex(at))]
        })
        .collect();
    let data = bytes::Bytes::from(vec![7; BLOCK_SIZE as usize]);
    let blocks: Vec<Message> =
        (0..64).map(|at| Message::Piece { piece: PieceIndex(at), begin: 0, data: data.clone() }).collect();
    for (name, messages) in [("2,000 small messages", small), ("64 blocks", blocks)] {
        let bytes = written(&messages);
        assert_eq!(read(bytes.clone()), messages);
        let mut group = bench.benchmark_group(format!("codec, {name}"));
        group.throughput(Throughput::Elements(messages.len() as u64));
        group.bench_function("encode", |bench| bench.iter(|| written(&messages)));
        group.bench_function("decode", |bench| {
            bench.iter_batched(|| bytes.clone(), read, BatchSize::LargeInput);
        });
        group.finish();
    }
}

criterion_group!(benches, codec);
criterion_main!(benches);
