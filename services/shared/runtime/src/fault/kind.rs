//! The kinds and their tables: one row a kind, one column a protocol.

use std::time::Duration;

use tonic::Code;

/// What an error means to the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The request is wrong and stays wrong.
    Invalid,
    /// No such thing, or none that the caller may know of.
    NotFound,
    /// It exists already, with other content.
    Conflict,
    /// Not in this state; something else must happen first.
    FailedPrecondition,
    /// Known, and not allowed.
    Forbidden,
    /// Not known.
    Unauthenticated,
    /// Too much; try again later.
    Throttled {
        /// How long to wait, when that is known.
        retry_after: Option<Duration>,
    },
    /// Not now; try again.
    Unavailable {
        /// How long to wait, when that is known.
        retry_after: Option<Duration>,
    },
    /// Not built.
    Unimplemented,
    /// Not done in time.
    Deadline,
    /// Our fault.
    Internal,
}

impl Kind {
    /// The gRPC status code.
    #[must_use]
    pub fn code(self) -> Code {
        match self {
            Self::Invalid => Code::InvalidArgument,
            Self::NotFound => Code::NotFound,
            Self::Conflict => Code::AlreadyExists,
            Self::FailedPrecondition => Code::FailedPrecondition,
            Self::Forbidden => Code::PermissionDenied,
            Self::Unauthenticated => Code::Unauthenticated,
            Self::Throttled { .. } => Code::ResourceExhausted,
            Self::Unavailable { .. } => Code::Unavailable,
            Self::Unimplemented => Code::Unimplemented,
            Self::Deadline => Code::DeadlineExceeded,
            Self::Internal => Code::Internal,
        }
    }

    /// How long the caller should wait before trying again.
    #[must_use]
    pub fn retry_after(self) -> Option<Duration> {
        match self {
            Self::Throttled { retry_after } | Self::Unavailable { retry_after } => retry_after,
            _ => None,
        }
    }
}

/// The HTTP status of a kind.
#[must_use]
pub fn http_status(kind: Kind) -> http::StatusCode {
    http_status_of_code(kind.code())
}

/// The HTTP status of a gRPC code, by the mapping that `google/rpc/code.proto` documents.
#[must_use]
pub fn http_status_of_code(code: Code) -> http::StatusCode {
    use http::StatusCode;
    match code {
        Code::Ok => StatusCode::OK,
        Code::InvalidArgument | Code::FailedPrecondition | Code::OutOfRange => {
            StatusCode::BAD_REQUEST
        }
        Code::Unauthenticated => StatusCode::UNAUTHORIZED,
        Code::PermissionDenied => StatusCode::FORBIDDEN,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::AlreadyExists | Code::Aborted => StatusCode::CONFLICT,
        Code::ResourceExhausted => StatusCode::TOO_MANY_REQUESTS,
        Code::Cancelled => CLIENT_CLOSED_REQUEST,
        Code::Unimplemented => StatusCode::NOT_IMPLEMENTED,
        Code::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Code::DeadlineExceeded => StatusCode::GATEWAY_TIMEOUT,
        Code::Unknown | Code::Internal | Code::DataLoss => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// 499 has no name in the standard; the mapping uses it all the same.
const CLIENT_CLOSED_REQUEST: http::StatusCode = match http::StatusCode::from_u16(499) {
    Ok(status) => status,
    Err(_) => http::StatusCode::BAD_REQUEST,
};
