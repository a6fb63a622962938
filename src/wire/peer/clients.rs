//! Which program a peer id belongs to, by the conventions that BEP 20 collected.

use crate::base::PeerId;

/// The name and version of the program behind a peer id, always printable; the id's own readable part where the program is
/// not known.
pub fn client_name(id: &PeerId) -> String {
    azureus(&id.0).or_else(|| mainline(&id.0)).or_else(|| shadow(&id.0)).unwrap_or_else(|| readable(&id.0))
}

/// `-XX1234-`: two letters and four characters of version.
fn azureus(id: &[u8; 20]) -> Option<String> {
    if id[0] != b'-' || id[7] != b'-' {
        return None;
    }
    let (code, version) = (&id[1..3], &id[3..7]);
    let name = AZUREUS.iter().find(|(known, _)| known.as_bytes() == code)?.1;
    let mut digits = version.iter().map(|byte| char::from(*byte).to_digit(36));
    let parts = [digits.next()??, digits.next()??, digits.next()??, digits.next()??];
    Some(format!("{name} {}", azureus_version(code, version, parts)))
}

/// The four characters as each program means them.
fn azureus_version(code: &[u8], raw: &[u8], [a, b, c, d]: [u32; 4]) -> String {
    match code {
        // Since 4.00 two digits of minor version and a letter that marks unreleased builds; `3000` stands for 3.00.
        b"TR" if raw[0] >= b'4' => format!("{a}.{b}.{c}"),
        b"TR" if raw[0] == b'0' && raw[1] == b'0' => format!("{c}.{d}"),
        b"TR" => format!("{a}.{b}{c}"),
        b"UT" | b"UM" | b"UW" | b"UE" | b"BT" => format!("{a}.{b}.{c}"),
        b"KT" | b"BX" => format!("{a}.{b}.{c}"),
        _ if d == 0 => format!("{a}.{b}.{c}"),
        _ => format!("{a}.{b}.{c}.{d}"),
    }
}

/// `M7-10-1--`: a letter and up to three numbers between dashes.
fn mainline(id: &[u8; 20]) -> Option<String> {
    let name = match id[0] {
        b'M' => "BitTorrent",
        b'Q' => "Queen Bee",
        _ => return None,
    };
    let text = std::str::from_utf8(&id[1..]).ok()?;
    let end = text.find("--")?;
    let parts: Vec<&str> = text[..end].split('-').collect();
    let numeric =
        |part: &&str| (1..=2).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    (parts.len() == 3 && parts.iter().all(numeric)).then(|| format!("{name} {}", parts.join(".")))
}

/// `S58B-----`: a letter, one character for each part of the version, dashes up to the ninth byte.
fn shadow(id: &[u8; 20]) -> Option<String> {
    let name = SHADOW.iter().find(|(letter, _)| *letter == id[0])?.1;
    let version = &id[1..6];
    let used = version.iter().position(|byte| *byte == b'-').unwrap_or(version.len());
    if used < 3 || id[used + 1..9].iter().any(|byte| *byte != b'-') {
        return None;
    }
    let parts: Option<Vec<String>> =
        version[..used].iter().map(|byte| shadow_digit(*byte).map(|digit| digit.to_string())).collect();
    Some(format!("{name} {}", parts?.join(".")))
}

fn shadow_digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'A'..=b'Z' => Some(byte - b'A' + 10),
        b'a'..=b'z' => Some(byte - b'a' + 36),
        b'.' => Some(62),
        _ => None,
    }
}

/// What can be read of an unknown id: its graphic characters from the front, or nothing but the word `unknown`.
fn readable(id: &[u8; 20]) -> String {
    let text: String =
        id.iter().take(8).take_while(|byte| byte.is_ascii_graphic()).map(|byte| char::from(*byte)).collect();
    if text.len() < 4 { "unknown".to_owned() } else { text }
}

const AZUREUS: &[(&str, &str)] = &[
    ("7T", "aTorrent"),
    ("A~", "Ares"),
    ("AG", "Ares"),
    ("AR", "Arctic"),
    ("AT", "Artemis"),
    ("AV", "Avicora"),
    ("AX", "BitPump"),
    ("AZ", "Vuze"),
    ("BB", "BitBuddy"),
    ("BC", "BitComet"),
    ("BE", "baretorrent"),
    ("BF", "Bitflu"),
    ("BG", "BTG"),
    ("BI", "BiglyBT"),
    ("BL", "BitLord"),
    ("BP", "BitTorrent Pro"),
    ("BR", "BitRocket"),
    ("BS", "BTSlave"),
    ("BT", "BitTorrent"),
    ("BW", "BitWombat"),
    ("BX", "BittorrentX"),
    ("CB", "Shareaza Plus"),
    ("CD", "Enhanced CTorrent"),
    ("CT", "CTorrent"),
    ("DE", "Deluge"),
    ("DP", "Propagate Data Client"),
    ("EB", "EBit"),
    ("ES", "electric sheep"),
    ("FC", "FileCroc"),
    ("FD", "Free Download Manager"),
    ("FG", "FlashGet"),
    ("FL", "Flud"),
    ("FT", "FoxTorrent"),
    ("FW", "FrostWire"),
    ("FY", "Fyris"),
    ("FX", "Freebox"),
    ("G3", "G3 Torrent"),
    ("GR", "GetRight"),
    ("GS", "GSTorrent"),
    ("HK", "Hekate"),
    ("HL", "Halite"),
    ("HN", "Hydranode"),
    ("KG", "KGet"),
    ("KT", "KTorrent"),
    ("LC", "LeechCraft"),
    ("LH", "LH-ABC"),
    ("LP", "Lphant"),
    ("LT", "libtorrent"),
    ("LW", "LimeWire"),
    ("ML", "MLDonkey"),
    ("MO", "MonoTorrent"),
    ("MP", "MooPolice"),
    ("MR", "Miro"),
    ("MT", "MoonlightTorrent"),
    ("NX", "Net Transport"),
    ("OS", "OneSwarm"),
    ("OT", "OmegaTorrent"),
    ("PD", "Pando"),
    ("PI", "PicoTorrent"),
    ("QD", "QQDownload"),
    ("QT", "Qt 4"),
    ("RT", "Retriever"),
    ("RZ", "RezTorrent"),
    ("SB", "Swiftbit"),
    ("SD", "Xunlei"),
    ("SM", "SoMud"),
    ("SP", "BitSpirit"),
    ("SS", "SwarmScope"),
    ("ST", "SymTorrent"),
    ("SZ", "Shareaza"),
    ("TB", "Torch"),
    ("TE", "terasaur"),
    ("TL", "Tribler"),
    ("TN", "TorrentDotNET"),
    ("TR", "Transmission"),
    ("TS", "TorrentStorm"),
    ("TT", "TuoTu"),
    ("TX", "Tixati"),
    ("UE", "µTorrent Embedded"),
    ("UL", "uLeecher"),
    ("UM", "µTorrent for Mac"),
    ("UT", "µTorrent"),
    ("UW", "µTorrent Web"),
    ("VG", "Vagaa"),
    ("WD", "WebTorrent Desktop"),
    ("WT", "BitLet"),
    ("WW", "WebTorrent"),
    ("WY", "FireTorrent"),
    ("XF", "Xfplay"),
    ("XL", "Xunlei"),
    ("XS", "XSwifter"),
    ("XT", "XanTorrent"),
    ("XX", "Xtorrent"),
    ("ZT", "ZipTorrent"),
    ("bk", "BitKitten"),
    ("lt", "libTorrent (rakshasa)"),
    ("pX", "pHoeniX"),
    ("qB", "qBittorrent"),
    ("rQ", "rqbit"),
    ("st", "SharkTorrent"),
];

const SHADOW: &[(u8, &str)] = &[
    (b'A', "ABC"),
    (b'O', "Osprey Permaseed"),
    (b'R', "Tribler"),
    (b'S', "Shadow's client"),
    (b'T', "BitTornado"),
    (b'U', "UPnP NAT client"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Rng;

    fn name(front: &[u8]) -> String {
        let mut id = [b'x'; 20];
        id[..front.len()].copy_from_slice(front);
        client_name(&PeerId(id))
    }

    #[test]
    fn the_known_programs() {
        for (id, wanted) in [
            (&b"-FY0100-"[..], "Fyris 0.1.0"),
            (b"-qB4650-", "qBittorrent 4.6.5"),
            (b"-qB5010-", "qBittorrent 5.0.1"),
            (b"-TR3000-", "Transmission 3.00"),
            (b"-TR2940-", "Transmission 2.94"),
            (b"-TR4060-", "Transmission 4.0.6"),
            (b"-TR400B-", "Transmission 4.0.0"),
            (b"-LT2110-", "libtorrent 2.1.1"),
            (b"-LT20B0-", "libtorrent 2.0.11"),
            (b"-UT355W-", "µTorrent 3.5.5"),
            (b"-DE211s-", "Deluge 2.1.1.28"),
            (b"M7-10-1--", "BitTorrent 7.10.1"),
            (b"S58B-----", "Shadow's client 5.8.11"),
            (b"T03I-----", "BitTornado 0.3.18"),
            (b"A2-1-37-1", "A2-1-37-"),
            (b"-??1234-", "-??1234-"),
            (b"\0\0\0\0", "unknown"),
        ] {
            assert_eq!(name(id), wanted);
        }
    }

    #[test]
    fn any_id_gives_a_short_printable_name() {
        for seed in 0..20_000 {
            let mut rng = Rng::new(seed);
            let mut id = [0; 20];
            rng.fill(&mut id);
            match rng.below(4) {
                0 => (id[0], id[7]) = (b'-', b'-'),
                1 => (id[0], id[3], id[4]) = (b'M', b'-', b'-'),
                2 => (id[0], id[4], id[5]) = (b'T', b'-', b'-'),
                _ => {}
            }
            let name = client_name(&PeerId(id));
            assert!((4..60).contains(&name.len()) && name.chars().all(|c| !c.is_control()), "{name:?}");
        }
    }
}
