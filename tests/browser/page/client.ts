/** The way to the gateway: gRPC-Web from another origin, with a bearer token on every call. */
import { type Client, Code, ConnectError, createClient, type Interceptor } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { QueryService } from "gen/channel/query/v1/query_service_pb";
import { ErrorInfoSchema } from "gen/google/rpc/error_details_pb";

export type Query = Client<typeof QueryService>;

export interface Gateway {
  baseUrl: string;
  token: string;
}

export function connect({ baseUrl, token }: Gateway, ...interceptors: Interceptor[]): Query {
  const authorize: Interceptor = (next) => (request) => {
    request.header.set("authorization", `Bearer ${token}`);
    return next(request);
  };
  return createClient(
    QueryService,
    createGrpcWebTransport({ baseUrl, interceptors: [authorize, ...interceptors] }),
  );
}

/** What a failed call says: its status, and the server's stable reason for it. */
export interface Failure {
  code: string;
  reason: string;
  domain: string;
}

export function failureOf(error: unknown): Failure {
  const cause = ConnectError.from(error);
  const info = cause.findDetails(ErrorInfoSchema)[0];
  return { code: Code[cause.code], reason: info?.reason ?? "", domain: info?.domain ?? "" };
}

/** Errors that come again however often the call is repeated. */
export function isFinal(error: unknown): boolean {
  const { code } = ConnectError.from(error);
  return code === Code.Unauthenticated || code === Code.PermissionDenied || code === Code.InvalidArgument;
}
