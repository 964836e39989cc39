//! Answers from the local database and streams every change.

pub mod capabilities;
pub mod error;
pub mod grpc;
pub mod links;
pub mod live;
pub mod page;
pub mod read;
pub mod seal;

pub use error::QueryError;
pub use grpc::OverGrpc;
pub use live::Live;
pub use read::Queries;
