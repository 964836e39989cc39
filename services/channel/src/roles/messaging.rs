//! Messaging: the only role that calls UniPile.

use channel_messaging::grpc::OverGrpc;
use channel_proto::messaging::v1::messaging_service_server::MessagingServiceServer;
use channel_runtime::server::GrpcServer;

/// Adds the role to a server.
pub(crate) fn add(server: GrpcServer) -> GrpcServer {
    server.service(MessagingServiceServer::new(OverGrpc))
}
