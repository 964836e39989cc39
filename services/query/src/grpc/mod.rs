//! Serves [`Queries`] over gRPC. Translates, and decides nothing.

mod answers;
mod calls;
mod export;
mod fields;
mod files;
mod links;
mod pictures;
mod requests;

use crate::capabilities::Setup;
use crate::error::QueryError;
use crate::links::Links;
use crate::live::{Live, WatchRoute};
use crate::read::Queries;
pub use links::LINKED_PATH;

use bytes::Bytes;
use channel_media::Objects;
use channel_proto::query::v1 as pb;
use channel_proto::query::v1::query_service_server::{QueryService, QueryServiceServer};
use channel_runtime::fault::to_status;
use channel_runtime::identity::{Identity, Role, identity_of, require_role};
use channel_runtime::supervise::Tasks;
use futures::StreamExt as _;
use futures::stream::BoxStream;
use prost::Message as _;
use std::sync::Arc;
use tonic::{Request, Response, Status};

/// The query service.
#[derive(Debug, Clone)]
pub struct OverGrpc {
    queries: Queries,
    live: Live,
    tasks: Tasks,
    setup: Arc<Setup>,
    objects: Option<Objects>,
    links: Links,
}

impl OverGrpc {
    /// Reads through `queries`, in `tasks` of their own: a caller that goes away leaves no database
    /// connection half-way.
    #[must_use]
    pub fn new(queries: Queries, live: Live, tasks: Tasks) -> Self {
        Self { queries, live, tasks, setup: Arc::default(), objects: None, links: Links::new(&[]) }
    }

    /// Tells clients what the other roles are set up for.
    #[must_use]
    pub fn knowing(self, setup: Setup) -> Self {
        Self { setup: Arc::new(setup), ..self }
    }

    /// Serves files from where their bytes lie.
    #[must_use]
    pub fn serving(self, objects: Objects) -> Self {
        Self { objects: Some(objects), ..self }
    }

    /// Makes and follows links to files.
    #[must_use]
    pub fn linking(self, links: Links) -> Self {
        Self { links, ..self }
    }

    /// The service to put into a server, with frames of `Watch` passed on as the bytes that they are.
    #[must_use]
    pub fn into_server(self) -> WatchRoute<QueryServiceServer<Self>> {
        let live = self.live.clone();
        WatchRoute::new(QueryServiceServer::new(self), live)
    }

    async fn answer<A, R, F>(
        &self,
        request: Request<A>,
        call: impl FnOnce(Queries, Identity, A) -> F,
    ) -> Result<Response<R>, Status>
    where
        R: Send + 'static,
        F: Future<Output = Result<R, QueryError>> + Send + 'static,
    {
        let caller = reader(&request)?;
        self.run(call(self.queries.clone(), caller, request.into_inner())).await
    }

    async fn run<R: Send + 'static>(
        &self,
        work: impl Future<Output = Result<R, QueryError>> + Send + 'static,
    ) -> Result<Response<R>, Status> {
        let done = self.tasks.spawn_owned(work).await;
        let answer = done.map_err(QueryError::from).and_then(|answer| answer);
        answer.map(Response::new).map_err(|error| to_status(&error))
    }
}

/// The caller, who must be someone that may read.
fn reader<A>(request: &Request<A>) -> Result<Identity, Status> {
    let caller = identity_of(request)?;
    require_role(&caller, Role::Viewer)?;
    Ok(caller)
}

/// A frame for those who call the service in process; on the wire it stays as it is, see [`WatchRoute`].
fn decoded(frame: &Bytes) -> Result<pb::WatchResponse, Status> {
    pb::WatchResponse::decode(frame.as_ref()).map_err(|_| Status::internal("internal error"))
}

#[tonic::async_trait]
impl QueryService for OverGrpc {
    type GetAttachmentStream = files::Pieces;
    type GetLinkedAttachmentStream = links::Parts;
    type ExportAccountStream = export::Records<pb::ExportAccountResponse>;
    type ExportContactStream = export::Records<pb::ExportContactResponse>;
    type WatchStream = BoxStream<'static, Result<pb::WatchResponse, Status>>;

    async fn list_accounts(
        &self,
        request: Request<pb::ListAccountsRequest>,
    ) -> Result<Response<pb::ListAccountsResponse>, Status> {
        self.answer(request, calls::list_accounts).await
    }

    async fn get_account(
        &self,
        request: Request<pb::GetAccountRequest>,
    ) -> Result<Response<pb::GetAccountResponse>, Status> {
        self.answer(request, calls::get_account).await
    }

    async fn list_chats(
        &self,
        request: Request<pb::ListChatsRequest>,
    ) -> Result<Response<pb::ListChatsResponse>, Status> {
        self.answer(request, calls::list_chats).await
    }

    async fn get_chat(
        &self,
        request: Request<pb::GetChatRequest>,
    ) -> Result<Response<pb::GetChatResponse>, Status> {
        self.answer(request, calls::get_chat).await
    }

    async fn list_messages(
        &self,
        request: Request<pb::ListMessagesRequest>,
    ) -> Result<Response<pb::ListMessagesResponse>, Status> {
        self.answer(request, calls::list_messages).await
    }

    async fn get_message(
        &self,
        request: Request<pb::GetMessageRequest>,
    ) -> Result<Response<pb::GetMessageResponse>, Status> {
        self.answer(request, calls::get_message).await
    }

    async fn search_messages(
        &self,
        request: Request<pb::SearchMessagesRequest>,
    ) -> Result<Response<pb::SearchMessagesResponse>, Status> {
        self.answer(request, calls::search_messages).await
    }

    async fn list_attendees(
        &self,
        request: Request<pb::ListAttendeesRequest>,
    ) -> Result<Response<pb::ListAttendeesResponse>, Status> {
        self.answer(request, calls::list_attendees).await
    }

    async fn get_attendee(
        &self,
        request: Request<pb::GetAttendeeRequest>,
    ) -> Result<Response<pb::GetAttendeeResponse>, Status> {
        self.answer(request, calls::get_attendee).await
    }

    async fn get_attendee_picture(
        &self,
        request: Request<pb::GetAttendeePictureRequest>,
    ) -> Result<Response<pb::GetAttendeePictureResponse>, Status> {
        let objects = self.objects.clone();
        let call = |queries, caller, it| pictures::read(queries, caller, objects, it);
        self.answer(request, call).await
    }

    async fn get_attachment(
        &self,
        request: Request<pb::GetAttachmentRequest>,
    ) -> Result<Response<Self::GetAttachmentStream>, Status> {
        let (objects, small) = (self.objects.clone(), self.setup.has_thumbnails);
        let call = |queries, caller, it| files::open(queries, caller, objects, small, it);
        self.answer(request, call).await
    }

    async fn create_attachment_link(
        &self,
        request: Request<pb::CreateAttachmentLinkRequest>,
    ) -> Result<Response<pb::CreateAttachmentLinkResponse>, Status> {
        let links = self.links.clone();
        let call = |queries, caller, it| links::create(queries, caller, links, it);
        self.answer(request, call).await
    }

    async fn get_linked_attachment(
        &self,
        request: Request<pb::GetLinkedAttachmentRequest>,
    ) -> Result<Response<Self::GetLinkedAttachmentStream>, Status> {
        let (queries, links) = (self.queries.clone(), self.links.clone());
        let (objects, small) = (self.objects.clone(), self.setup.has_thumbnails);
        self.run(links::open(queries, links, objects, small, request.into_inner())).await
    }

    async fn export_account(
        &self,
        request: Request<pb::ExportAccountRequest>,
    ) -> Result<Response<Self::ExportAccountStream>, Status> {
        require_role(&identity_of(&request)?, Role::Admin)?;
        let tasks = self.tasks.clone();
        self.answer(request, |queries, caller, it| export::account(queries, caller, tasks, it))
            .await
    }

    async fn export_contact(
        &self,
        request: Request<pb::ExportContactRequest>,
    ) -> Result<Response<Self::ExportContactStream>, Status> {
        require_role(&identity_of(&request)?, Role::Admin)?;
        let tasks = self.tasks.clone();
        self.answer(request, |queries, caller, it| export::contact(queries, caller, tasks, it))
            .await
    }

    async fn get_capabilities(
        &self,
        request: Request<pb::GetCapabilitiesRequest>,
    ) -> Result<Response<pb::GetCapabilitiesResponse>, Status> {
        let setup = Arc::clone(&self.setup);
        let call = |queries, caller, it| calls::get_capabilities(queries, caller, setup, it);
        self.answer(request, call).await
    }

    async fn watch(
        &self,
        request: Request<pb::WatchRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let caller = reader(&request)?;
        let frames = self.live.watch(caller, request.into_inner()).await;
        let frames = frames.map_err(|fault| to_status(&fault))?;
        Ok(Response::new(frames.map(|frame| decoded(&frame)).boxed()))
    }

    async fn poll_changes(
        &self,
        request: Request<pb::PollChangesRequest>,
    ) -> Result<Response<pb::PollChangesResponse>, Status> {
        let caller = reader(&request)?;
        let frames = self.live.poll(caller, request.into_inner()).await;
        frames.map(Response::new).map_err(|fault| to_status(&fault))
    }
}
