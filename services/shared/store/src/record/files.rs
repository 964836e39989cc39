//! Files of messages, as records.

/// A file.
#[derive(Clone, PartialEq, prost::Message)]
pub struct AttachmentRecord {
    /// UniPile's id.
    #[prost(string, tag = "1")]
    pub id: String,
    /// See [`super::attachment_kind`].
    #[prost(int32, tag = "2")]
    pub kind: i32,
    /// Media type as claimed.
    #[prost(string, optional, tag = "3")]
    pub mime: Option<String>,
    /// Bytes.
    #[prost(uint64, optional, tag = "4")]
    pub size: Option<u64>,
    /// File name.
    #[prost(string, optional, tag = "5")]
    pub name: Option<String>,
    /// Pixels.
    #[prost(uint32, optional, tag = "6")]
    pub width: Option<u32>,
    /// Pixels.
    #[prost(uint32, optional, tag = "7")]
    pub height: Option<u32>,
    /// Seconds.
    #[prost(uint32, optional, tag = "8")]
    pub duration_seconds: Option<u32>,
    /// The bytes cannot be had.
    #[prost(bool, tag = "9")]
    pub unavailable: bool,
    /// See [`channel_domain::media::Fetch`]; 0 until a try has ended.
    #[prost(int32, tag = "10")]
    pub fetch: i32,
    /// Stable reason of that.
    #[prost(string, optional, tag = "11")]
    pub fetch_reason: Option<String>,
    /// The bytes, once they are here.
    #[prost(message, optional, tag = "12")]
    pub stored: Option<StoredRecord>,
}

/// The bytes of a file.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct StoredRecord {
    /// SHA-256 in hexadecimal digits.
    #[prost(string, tag = "1")]
    pub sha256: String,
    /// Bytes.
    #[prost(uint64, tag = "2")]
    pub size: u64,
    /// The media type that the bytes show.
    #[prost(string, optional, tag = "3")]
    pub mime: Option<String>,
    /// The small picture, once it is here.
    #[prost(message, optional, tag = "4")]
    pub small: Option<SmallRecord>,
    /// Why there will be none.
    #[prost(string, optional, tag = "5")]
    pub no_small: Option<String>,
}

/// A small picture.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct SmallRecord {
    /// SHA-256 of its bytes in hexadecimal digits.
    #[prost(string, tag = "1")]
    pub sha256: String,
    /// Bytes.
    #[prost(uint64, tag = "2")]
    pub size: u64,
    /// Its media type.
    #[prost(string, tag = "3")]
    pub mime: String,
    /// Pixels.
    #[prost(uint32, tag = "4")]
    pub width: u32,
    /// Pixels.
    #[prost(uint32, tag = "5")]
    pub height: u32,
    /// Pixels of the original as it is to be shown.
    #[prost(uint32, tag = "6")]
    pub full_width: u32,
    /// The same.
    #[prost(uint32, tag = "7")]
    pub full_height: u32,
}
