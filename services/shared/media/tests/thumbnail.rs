//! Small pictures of images as anybody may send them.

#![expect(clippy::unwrap_used, reason = "this is test code")]

use channel_domain::media::Small;
use channel_domain::media::thumbnail::{BROKEN, TOO_LARGE};
use channel_media::{ThumbnailsConfig, small_picture};
use image::codecs::gif::GifEncoder;
use image::{DynamicImage, Frame, ImageFormat, Rgb, RgbImage, Rgba, RgbaImage};
use std::io::Cursor;

/// Red on the left, blue on the right.
fn two_halves(width: u32, height: u32) -> DynamicImage {
    let colour = |x, _| if x < width / 2 { Rgb([250, 0, 0]) } else { Rgb([0, 0, 250]) };
    RgbImage::from_fn(width, height, colour).into()
}

fn encoded(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(vec![]);
    image.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn made(bytes: &[u8], mime: &str) -> (RgbaImage, Small) {
    let (bytes, small) = small_picture(bytes, mime, &ThumbnailsConfig::default()).unwrap();
    assert_eq!(small.size, bytes.len() as u64);
    let format = ImageFormat::from_mime_type(&small.mime).unwrap();
    let image = image::load_from_memory_with_format(&bytes, format).unwrap().into_rgba8();
    assert_eq!((image.width(), image.height()), (small.width, small.height));
    (image, small)
}

fn is_red(pixel: Rgba<u8>) -> bool {
    pixel.0[0] > 150 && pixel.0[2] < 100
}

/// With a camera's word for how it is to be turned.
fn turned(jpeg: &[u8], orientation: u8) -> Vec<u8> {
    let exif = b"\xff\xe1\x00\x22Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0";
    let rest = [orientation, 0, 0, 0, 0, 0, 0];
    [&jpeg[..2], exif, &rest, &jpeg[2..]].concat()
}

#[test]
fn every_kind_of_image_becomes_small_and_keeps_its_shape() {
    let image = two_halves(1200, 900);
    for (format, mime) in [
        (ImageFormat::Jpeg, "image/jpeg"),
        (ImageFormat::Png, "image/png"),
        (ImageFormat::WebP, "image/webp"),
        (ImageFormat::Gif, "image/gif"),
    ] {
        let (picture, small) = made(&encoded(&image, format), mime);
        assert_eq!((small.width, small.height, small.mime.as_str()), (320, 240, "image/jpeg"));
        assert_eq!((small.full_width, small.full_height), (1200, 900));
        assert!(is_red(*picture.get_pixel(80, 120)) && !is_red(*picture.get_pixel(240, 120)));
    }
}

#[test]
fn what_shows_through_still_does() {
    let mut image = RgbaImage::from_pixel(512, 512, Rgba([0, 200, 0, 255]));
    image.put_pixel(0, 0, Rgba([0, 0, 0, 0]));
    for x in 0..200 {
        for y in 0..200 {
            image.put_pixel(x, y, Rgba([0, 0, 0, 0]));
        }
    }
    let (picture, small) = made(&encoded(&image.into(), ImageFormat::WebP), "image/webp");
    assert_eq!((small.width, small.height, small.mime.as_str()), (320, 320, "image/png"));
    assert_eq!(picture.get_pixel(50, 50).0[3], 0);
    assert_eq!(picture.get_pixel(300, 300).0[3], 255);
}

#[test]
fn a_photograph_is_turned_as_its_camera_says() {
    let jpeg = encoded(&two_halves(800, 600), ImageFormat::Jpeg);
    let (picture, small) = made(&turned(&jpeg, 6), "image/jpeg");
    assert_eq!((small.width, small.height), (240, 320));
    assert_eq!((small.full_width, small.full_height), (600, 800));
    // A quarter to the right: what was left is above.
    assert!(is_red(*picture.get_pixel(120, 80)) && !is_red(*picture.get_pixel(120, 240)));
    let (_, nonsense) = made(&turned(&jpeg, 99), "image/jpeg");
    assert_eq!((nonsense.width, nonsense.height), (320, 240));
}

#[test]
fn of_a_moving_picture_the_first_is_taken() {
    let mut bytes = vec![];
    let mut gif = GifEncoder::new(&mut bytes);
    for colour in [[250, 0, 0, 255], [0, 0, 250, 255]] {
        let frame = RgbaImage::from_pixel(400, 100, Rgba(colour));
        gif.encode_frame(Frame::new(frame)).unwrap();
    }
    drop(gif);
    let (picture, small) = made(&bytes, "image/gif");
    assert_eq!((small.width, small.height), (320, 80));
    assert!(is_red(*picture.get_pixel(10, 10)));
}

#[test]
fn what_is_small_or_thin_is_not_blown_up() {
    let (_, small) = made(&encoded(&two_halves(64, 48), ImageFormat::Png), "image/png");
    assert_eq!((small.width, small.height), (64, 48));
    let (_, thin) = made(&encoded(&two_halves(4000, 2), ImageFormat::Png), "image/png");
    assert_eq!((thin.width, thin.height), (320, 1));
}

fn refused(bytes: &[u8], mime: &str) -> &'static str {
    small_picture(bytes, mime, &ThumbnailsConfig::default()).map(|(_, small)| small).unwrap_err()
}

/// A PNG that says that it is so large.
fn bomb(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = encoded(&two_halves(2, 2), ImageFormat::Png);
    bytes[16..20].copy_from_slice(&width.to_be_bytes());
    bytes[20..24].copy_from_slice(&height.to_be_bytes());
    let sum = crc(&bytes[12..29]).to_be_bytes();
    bytes[29..33].copy_from_slice(&sum);
    bytes
}

fn crc(bytes: &[u8]) -> u32 {
    let step = |sum: u32, _| if sum & 1 == 1 { sum >> 1 ^ 0xedb8_8320 } else { sum >> 1 };
    let next = |sum: u32, byte: &u8| (0..8).fold(sum ^ u32::from(*byte), step);
    !bytes.iter().fold(u32::MAX, next)
}

#[test]
fn what_would_take_too_much_is_refused_by_its_header_alone() {
    assert_eq!(refused(&bomb(30_000, 30_000), "image/png"), TOO_LARGE);
    assert_eq!(refused(&bomb(u32::MAX >> 1, u32::MAX >> 1), "image/png"), TOO_LARGE);
    // Few enough pixels for one, too many for the other.
    let image = encoded(&two_halves(1000, 1000), ImageFormat::Jpeg);
    for (most_pixels, memory_bytes) in [(999_999, u64::MAX >> 8), (1_000_000, 4_000_000)] {
        let config = ThumbnailsConfig { most_pixels, memory_bytes, ..ThumbnailsConfig::default() };
        assert_eq!(small_picture(&image, "image/jpeg", &config).unwrap_err(), TOO_LARGE);
    }
    // It says so, and has nothing to show for it.
    assert_eq!(refused(&bomb(2_000, 2_000), "image/png"), BROKEN);
}

#[test]
fn what_is_cut_or_something_else_is_broken() {
    let image = two_halves(600, 400);
    for (format, mime) in [
        (ImageFormat::Png, "image/png"),
        (ImageFormat::WebP, "image/webp"),
        (ImageFormat::Gif, "image/gif"),
        (ImageFormat::Jpeg, "image/jpeg"),
    ] {
        let whole = encoded(&image, format);
        for length in [0, 8, 30, whole.len() / 2] {
            assert_eq!(refused(&whole[..length], mime), BROKEN, "{length} bytes of {mime}");
        }
    }
    assert_eq!(refused(b"\x89PNG\r\n\x1a\nhello, I am a text", "image/png"), BROKEN);
    assert_eq!(refused(b"<svg/>", "image/svg+xml"), BROKEN);
}
