//! Which media types may reach a browser.

/// Types that a browser shows and runs nothing of.
const SHOWN: [&str; 22] = [
    "audio/aac",
    "audio/amr",
    "audio/flac",
    "audio/m4a",
    "audio/mp4",
    "audio/mpeg",
    "audio/ogg",
    "audio/opus",
    "audio/wav",
    "audio/x-flac",
    "audio/x-wav",
    "image/avif",
    "image/bmp",
    "image/gif",
    "image/heif",
    "image/jpeg",
    "image/png",
    "image/webp",
    "video/mp4",
    "video/quicktime",
    "video/webm",
    "video/x-m4v",
];

/// Types of files that are handed to a program of the person's own; never shown inside a page.
const HANDED_ON: [&str; 11] = [
    "application/gzip",
    "application/msword",
    "application/pdf",
    "application/vnd.ms-excel",
    "application/vnd.ms-powerpoint",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/zip",
    "video/3gpp",
    "video/x-matroska",
];

/// What everything else is.
const BYTES: &str = "application/octet-stream";

/// A media type that may be served to a browser. It comes from what the bytes show, never from what a sender
/// claims; what shows nothing known, HTML and SVG among them, is just bytes.
#[must_use]
pub fn safe_type(shown_by_bytes: Option<&str>) -> &'static str {
    let known = SHOWN.iter().chain(&HANDED_ON);
    known.copied().find(|known| Some(*known) == shown_by_bytes).unwrap_or(BYTES)
}

/// Whether a page may show it in place.
#[must_use]
pub fn is_shown_inline(safe_type: &str) -> bool {
    SHOWN.contains(&safe_type)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn active_content_is_just_bytes() {
        for mime in
            ["text/html", "image/svg+xml", "text/xml", "application/x-msdownload", "IMAGE/png"]
        {
            assert_eq!(safe_type(Some(mime)), BYTES, "{mime}");
        }
        assert_eq!(safe_type(None), BYTES);
        assert_eq!(safe_type(Some("image/png")), "image/png");
        assert!(is_shown_inline("image/png") && !is_shown_inline("application/pdf"));
        assert!(!is_shown_inline(BYTES));
    }
}
