//! Round trips, a table of bad inputs, bombs, and a loop that looks for a panic.

use proptest::prelude::*;

use super::*;
use crate::base::Rng;
use crate::base::limits::{BENCODE_DEPTH, BENCODE_TOKENS};

fn fault(input: &[u8]) -> Fault {
    decode(input).map(|document| document.root().to_value()).expect_err("a bad input").fault
}

#[test]
fn values_are_read_where_they_stand() {
    let input = b"d4:infod6:lengthi-5e4:name3:a\xffbe4:listli0e0:lelei9223372036854775807eee";
    let document = decode(input).expect("a good input");
    let root = document.root();
    let info = root.get(b"info").expect("info");
    assert_eq!(info.raw(), b"d6:lengthi-5e4:name3:a\xffbe");
    assert_eq!(info.get(b"length").and_then(Node::int), Some(-5));
    let name = info.get(b"name").expect("name");
    assert_eq!((name.bytes(), name.text(), name.int()), (Some(&b"a\xffb"[..]), None, None));
    let list: Vec<_> = root.get(b"list").expect("list").list().collect();
    assert_eq!(list.len(), 5);
    assert_eq!((list[0].int(), list[1].text(), list[4].int()), (Some(0), Some(""), Some(i64::MAX)));
    assert!(list[2].is_list() && list[2].list().next().is_none() && list[2].dict().next().is_none());
    assert_eq!(root.dict().map(|(key, _)| key).collect::<Vec<_>>(), [&b"info"[..], b"list"]);
    assert!(root.get(b"length").is_none() && list[0].get(b"x").is_none());
}

#[test]
fn bad_inputs_are_refused_with_the_right_word() {
    let table: &[(&[u8], Fault)] = &[
        (b"", Fault::Truncated),
        (b"i", Fault::Truncated),
        (b"i-", Fault::Truncated),
        (b"i12", Fault::Truncated),
        (b"l", Fault::Truncated),
        (b"d", Fault::Truncated),
        (b"d1:a", Fault::Truncated),
        (b"li1e", Fault::Truncated),
        (b"5", Fault::Truncated),
        (b"5:abcd", Fault::Overlong),
        (b"99999999999:a", Fault::Overlong),
        (b"18446744073709551617:a", Fault::Overlong),
        (b"4294967297:a", Fault::Overlong),
        (b"-1:a", Fault::Unexpected),
        (b"x", Fault::Unexpected),
        (b"e", Fault::Unexpected),
        (b" i1e", Fault::Unexpected),
        (b"01:a", Fault::Length),
        (b"00:", Fault::Length),
        (b"1a:b", Fault::Length),
        (b"1;b", Fault::Length),
        (b"ie", Fault::Integer),
        (b"i-e", Fault::Integer),
        (b"i-0e", Fault::Integer),
        (b"i03e", Fault::Integer),
        (b"i00e", Fault::Integer),
        (b"i-03e", Fault::Integer),
        (b"i+1e", Fault::Integer),
        (b"i 1e", Fault::Integer),
        (b"i1 e", Fault::Integer),
        (b"i1.5e", Fault::Integer),
        (b"i--1e", Fault::Integer),
        (b"i9223372036854775808e", Fault::IntegerRange),
        (b"i-9223372036854775809e", Fault::IntegerRange),
        (b"i99999999999999999999999999999e", Fault::IntegerRange),
        (b"d1:ae", Fault::NoValue),
        (b"di1ei2ee", Fault::Key),
        (b"dlei2ee", Fault::Key),
        (b"d1:ai1e1:ai2ee", Fault::DuplicateKey),
        (b"d1:bi1e1:ai2e1:bi3ee", Fault::DuplicateKey),
        (b"ld1:bld1:xi1eee1:ai2e1:bi3eee", Fault::DuplicateKey),
        (b"i1ei2e", Fault::Trailing),
        (b"le\n", Fault::Trailing),
    ];
    for (input, expected) in table {
        assert_eq!(fault(input), *expected, "{}", input.escape_ascii());
    }
    assert_eq!(decode(b"i-9223372036854775808e").expect("the least").root().int(), Some(i64::MIN));
}

#[test]
fn keys_out_of_order_are_accepted() {
    let document = decode(b"d1:bd1:ci1e1:ai2ee1:ai2ee").expect("unsorted keys");
    assert_eq!(document.root().get(b"a").and_then(Node::int), Some(2));
    assert_eq!(document.root().to_value().encode(), b"d1:ai2e1:bd1:ai2e1:ci1eee");
}

#[test]
fn a_prefix_leaves_the_rest_alone() {
    let input = b"d8:msg_typei1e5:piecei0eebinary data";
    let (document, used) = decode_prefix(input).expect("a dictionary and more");
    assert_eq!(&input[used..], b"binary data");
    assert_eq!(document.root().raw(), &input[..used]);
}

#[test]
fn depth_is_limited_and_needs_no_stack() {
    let nested = |depth| [vec![b'l'; depth], vec![b'e'; depth]].concat();
    let run = move || {
        assert!(decode(&nested(BENCODE_DEPTH)).is_ok());
        assert_eq!(fault(&nested(BENCODE_DEPTH + 1)), Fault::Depth);
        assert_eq!(fault(&nested(1_000_000)), Fault::Depth);
        assert_eq!(fault(&b"d1:a".repeat(20_000)), Fault::Depth);
        assert_eq!(fault(&vec![b'l'; 1_000_000]), Fault::Depth);
        let deepest = decode(&nested(BENCODE_DEPTH)).expect("the deepest").root().to_value();
        assert_eq!(deepest.encode(), nested(BENCODE_DEPTH));
    };
    let thread = std::thread::Builder::new().stack_size(256 * 1024).spawn(run).expect("a thread");
    thread.join().expect("no overflow");
}

#[test]
fn the_number_of_values_is_limited() {
    let bomb = |count| [&b"l"[..], &b"i1e".repeat(count), b"e"].concat();
    assert!(decode(&bomb(BENCODE_TOKENS - 1)).is_ok());
    assert_eq!(fault(&bomb(BENCODE_TOKENS)), Fault::Tokens);
}

#[test]
fn a_wide_unsorted_dictionary_takes_no_square_time() {
    let mut input = b"d".to_vec();
    for number in (0..200_000).rev() {
        input.extend_from_slice(format!("6:{number:06}i{number}e").as_bytes());
    }
    input.push(b'e');
    assert_eq!(decode(&input).expect("distinct keys").root().dict().count(), 200_000);
}

#[test]
fn the_encoder_writes_what_the_decoder_reads() {
    let mut out = Encoder::append(b"before".to_vec());
    out.dict(|dict| {
        dict.int("", -1).bytes("a", "text").list("b", |list| {
            list.int(0).bytes([0xff]).dict(|_| ()).raw(b"le");
        });
        dict.dict("c", |inner| {
            inner.raw("d", b"i7e");
        });
    });
    let out = out.finish();
    assert_eq!(out, b"befored0:i-1e1:a4:text1:bli0e1:\xffdelee1:cd1:di7eee");
    assert!(decode(&out[6..]).is_ok());
}

#[test]
#[cfg(debug_assertions)]
#[should_panic(expected = "dictionary keys rise")]
fn the_encoder_insists_on_the_order_of_keys() {
    Encoder::new().dict(|dict| {
        dict.int("b", 1).int("a", 2);
    });
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<i64>().prop_map(Value::Int),
        proptest::collection::vec(any::<u8>(), 0..20).prop_map(Value::Bytes),
    ];
    leaf.prop_recursive(5, 60, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::List),
            proptest::collection::btree_map(proptest::collection::vec(any::<u8>(), 0..5), inner, 0..6)
                .prop_map(Value::Dict),
        ]
    })
}

proptest! {
    #[test]
    fn any_value_comes_back(value in values()) {
        let bytes = value.encode();
        let document = decode(&bytes).expect("our own encoding");
        prop_assert_eq!(document.root().raw(), &bytes[..]);
        prop_assert_eq!(document.root().to_value(), value);
        for cut in 0..bytes.len() {
            prop_assert!(decode(&bytes[..cut]).is_err());
        }
    }
}

#[test]
fn no_input_panics() {
    let mut rng = Rng::new(20);
    let seeds: [&[u8]; 4] = [
        b"d8:announce9:http://a/4:infod5:filesld6:lengthi5e4:pathl1:aeee4:name1:x12:piece lengthi16384eee",
        b"d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe",
        b"llllleeeeeli1ei-2ei30eee",
        b"d1:b1:11:a1:2e",
    ];
    for round in 0..60_000 {
        let mut input = if round % 4 == 0 {
            let alphabet = b"ilde0123456789:-\x00\xff";
            (0..rng.below(40)).map(|_| alphabet[rng.below(alphabet.len())]).collect::<Vec<u8>>()
        } else {
            seeds[rng.below(seeds.len())].to_vec()
        };
        for _ in 0..rng.below(4) {
            let at = rng.below(input.len().max(1));
            match rng.below(4) {
                0 if at < input.len() => input[at] = rng.bits32() as u8,
                1 => input.truncate(at),
                2 => input.insert(at, b"ilde09:-"[rng.below(8)]),
                _ if at < input.len() => drop(input.remove(at)),
                _ => {}
            }
        }
        if let Ok((document, used)) = decode_prefix(&input) {
            assert_eq!(document.root().raw(), &input[..used]);
            let value = document.root().to_value();
            let again = value.encode();
            assert_eq!(decode(&again).expect("our own encoding").root().to_value(), value);
        }
    }
}
