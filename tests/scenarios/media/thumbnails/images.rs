//! Images that are made here.

use anyhow::Result;
use image::{DynamicImage, ImageFormat, Rgb, RgbImage, Rgba, RgbaImage};
use std::io::Cursor;

/// Like no other with another seed.
pub(crate) fn photo(width: u32, height: u32, seed: u8) -> Vec<u8> {
    let shade = |n: u32| n.to_le_bytes()[0] ^ seed;
    let image = RgbImage::from_fn(width, height, |x, y| Rgb([shade(x / 8), shade(y / 8), seed]));
    let mut bytes = Cursor::new(vec![]);
    let written = DynamicImage::from(image).write_to(&mut bytes, ImageFormat::Jpeg);
    written.map(|()| bytes.into_inner()).unwrap_or_default()
}

/// Something shows through at its corners.
pub(crate) fn sticker() -> Result<Vec<u8>> {
    let colour = |x: u32, y: u32| {
        let inside = x.abs_diff(256) + y.abs_diff(256) < 256;
        Rgba([200, 100, 0, if inside { 255 } else { 0 }])
    };
    let image = RgbaImage::from_fn(512, 512, colour);
    let mut bytes = Cursor::new(vec![]);
    DynamicImage::from(image).write_to(&mut bytes, ImageFormat::WebP)?;
    Ok(bytes.into_inner())
}

/// A small file that unpacks to gigabytes: 30,000 by 30,000 pixels.
pub(crate) fn bomb() -> Vec<u8> {
    let mut bytes = b"GIF89a\x30\x75\x30\x75\xf0\0\0\0\0\0\xff\xff\xff".to_vec();
    bytes.extend(b"\x2c\0\0\0\0\x30\x75\x30\x75\0\x02\x02\x44\x01\0\x3b");
    bytes
}
