//! Making a small picture of an image that anybody may have sent.
//!
//! What an image would take is reckoned from its header before any of it is decoded, so that a small file that unpacks
//! to gigabytes is refused and costs nothing.

use crate::config::ThumbnailsConfig;
use channel_domain::media::Small;
use channel_domain::media::thumbnail::{BROKEN, TOO_LARGE};
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits};
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use std::io::Cursor;

/// Quality of a JPEG, of 100: blocks do not show, and a photograph of 320 by 240 has about 15 KiB.
const QUALITY: u8 = 80;

/// How many times what the whole image has as pixels a decoder takes at most, as was measured: a progressive JPEG keeps
/// two bytes more for each of its values, a WebP its planes and the frame that it shows.
const fn takes(format: ImageFormat) -> u64 {
    match format {
        ImageFormat::WebP => 4,
        ImageFormat::Jpeg => 3,
        _ => 2,
    }
}

/// Whether a file is too large to be even read for a small picture.
#[must_use]
pub fn is_beyond(config: &ThumbnailsConfig, bytes: u64) -> bool {
    // The decoder may hold the file once more.
    bytes.saturating_mul(2) > config.memory_bytes
}

/// Makes a small picture of an image whose media type its first bytes have shown. Takes time and memory: not for a
/// thread that others wait for.
///
/// # Errors
///
/// A stable reason why there is none.
pub fn small_picture(
    bytes: &[u8],
    mime: &str,
    config: &ThumbnailsConfig,
) -> Result<(Vec<u8>, Small), &'static str> {
    let format = ImageFormat::from_mime_type(mime).ok_or(BROKEN)?;
    // The other decoders see that something is missing; this one paints it grey.
    if format == ImageFormat::Jpeg && !has_its_end(bytes) {
        return Err(BROKEN);
    }
    let (image, orientation) = decode(bytes, format, config)?;
    let full = (image.width(), image.height());
    let most = config.longest_side;
    let mut small = if full.0.max(full.1) > most { image.thumbnail(most, most) } else { image };
    small.apply_orientation(orientation);
    let (full_width, full_height) = if lies_down(orientation) { (full.1, full.0) } else { full };
    let (width, height) = (small.width(), small.height());
    let (bytes, mime) = encode(small).map_err(|_| BROKEN)?;
    let (sha256, size) = (hash(&bytes), bytes.len() as u64);
    let mime = mime.to_owned();
    Ok((bytes, Small { sha256, size, mime, width, height, full_width, full_height }))
}

/// The image, or the first of its pictures, and how it is to be turned.
fn decode(
    bytes: &[u8],
    format: ImageFormat,
    config: &ThumbnailsConfig,
) -> Result<(DynamicImage, Orientation), &'static str> {
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(config.memory_bytes);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(|error| reason(&error))?;
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    let memory = decoder.total_bytes().saturating_mul(takes(format));
    let memory = memory.saturating_add(2 * bytes.len() as u64);
    if pixels > config.most_pixels || memory > config.memory_bytes {
        return Err(TOO_LARGE);
    }
    // An image whose camera says nonsense is shown as it lies.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let image = DynamicImage::from_decoder(decoder).map_err(|error| reason(&error))?;
    Ok((image, orientation))
}

const fn reason(error: &ImageError) -> &'static str {
    match error {
        ImageError::Limits(_) => TOO_LARGE,
        _ => BROKEN,
    }
}

/// Whether the pixels of a JPEG go on to the marker of its end. What stands before them, another small picture perhaps,
/// is left out.
fn has_its_end(jpeg: &[u8]) -> bool {
    let mut rest = jpeg.get(2..).unwrap_or_default();
    while let [0xff, marker, high, low, ..] = rest {
        if *marker == 0xda {
            return rest.windows(2).any(|pair| pair == [0xff, 0xd9]);
        }
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        // Before a marker there may be more of its first byte.
        let step = if *marker == 0xff { 1 } else { 2 + length };
        rest = rest.get(step..).unwrap_or_default();
    }
    false
}

const fn lies_down(orientation: Orientation) -> bool {
    matches!(
        orientation,
        Orientation::Rotate90
            | Orientation::Rotate270
            | Orientation::Rotate90FlipH
            | Orientation::Rotate270FlipH
    )
}

/// As a PNG if something shows through, else as a JPEG. Nothing but the pixels gets in.
fn encode(image: DynamicImage) -> Result<(Vec<u8>, &'static str), ImageError> {
    let mut bytes = Vec::new();
    let image = image.into_rgba8();
    if image.pixels().any(|pixel| pixel.0[3] < u8::MAX) {
        let (best, filter) = (CompressionType::Best, FilterType::Adaptive);
        image.write_with_encoder(PngEncoder::new_with_quality(&mut bytes, best, filter))?;
        return Ok((bytes, "image/png"));
    }
    let image = DynamicImage::from(image).into_rgb8();
    image.write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, QUALITY))?;
    Ok((bytes, "image/jpeg"))
}

fn hash(bytes: &[u8]) -> String {
    let mut digits = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        // Writing into a string cannot fail.
        let _ = write!(digits, "{byte:02x}");
    }
    digits
}
