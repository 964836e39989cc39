//! Pictures of people and groups: a pattern of two colours, each another one, as small as PNG allows.

use axum::body::Bytes;

/// Rows and columns.
const SIDE: u32 = 16;

/// The picture with this number of whoever has this id: always the same.
pub(super) fn png(id: &str, number: u32) -> Bytes {
    let mut seed = hash(id.bytes().chain(number.to_be_bytes()));
    let mut next = || {
        seed = hash(seed.to_be_bytes());
        seed.to_be_bytes()
    };
    let [_, _, _, _, _, red, green, blue] = next();
    let palette = [red | 0x80, green | 0x80, blue | 0x80, red / 2, green / 2, blue / 2];
    let mut rows = Vec::new();
    for _ in 0..SIDE {
        let half = next()[7];
        // No filter, and a row that is its own mirror.
        rows.extend([0, half, half.reverse_bits()]);
    }
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    let size = SIDE.to_be_bytes();
    // One bit for each pixel, which names a colour of the palette.
    chunk(&mut bytes, *b"IHDR", &[&size[..], &size[..], &[1, 3, 0, 0, 0]].concat());
    chunk(&mut bytes, *b"PLTE", &palette);
    chunk(&mut bytes, *b"IDAT", &stored(&rows));
    chunk(&mut bytes, *b"IEND", &[]);
    bytes.into()
}

/// FNV-1a.
fn hash(bytes: impl IntoIterator<Item = u8>) -> u64 {
    let step = |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    bytes.into_iter().fold(0xcbf2_9ce4_8422_2325, step)
}

fn chunk(bytes: &mut Vec<u8>, kind: [u8; 4], data: &[u8]) {
    let length = u32::try_from(data.len()).unwrap_or_default();
    bytes.extend(length.to_be_bytes());
    let from = bytes.len();
    bytes.extend(kind);
    bytes.extend(data);
    let sum = crc32(&bytes[from..]);
    bytes.extend(sum.to_be_bytes());
}

/// A zlib stream of one block that is not compressed.
fn stored(data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len()).unwrap_or_default();
    let mut stream = vec![0x78, 0x01, 1];
    stream.extend(length.to_le_bytes());
    stream.extend((!length).to_le_bytes());
    stream.extend(data);
    let (mut a, mut b) = (1_u32, 0_u32);
    for byte in data {
        a = (a + u32::from(*byte)) % 65_521;
        b = (b + a) % 65_521;
    }
    stream.extend(((b << 16) | a).to_be_bytes());
    stream
}

fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    !crc
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_has_another_picture_and_always_the_same() {
        assert_eq!(png("a", 0), png("a", 0));
        assert_ne!(png("a", 0), png("a", 1));
        assert_ne!(png("a", 0), png("b", 0));
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926, "the check value of the standard");
        assert!(png("a", 0).len() < 200);
    }
}
