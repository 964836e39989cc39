/** Single calls that the test makes beside the page's own, to see what a browser can read of an error. */
import type { Interceptor } from "@connectrpc/connect";
import { connect, type Failure, failureOf, type Gateway } from "./client";

type Outcome = Failure & { frames: number; milliseconds: number };

export function probes(gateway: Gateway) {
  return {
    /** A unary call with another token. */
    async unaryWithToken(token: string): Promise<Failure> {
      try {
        await connect({ ...gateway, token }).listAccounts({});
      } catch (error) {
        return failureOf(error);
      }
      throw new Error("the call was answered");
    },

    /** A stream whose deadline only the server knows; a client's own timer would hide a server without one. */
    async watchWithDeadline(timeout: string): Promise<Outcome> {
      const deadline: Interceptor = (next) => (request) => {
        request.header.set("grpc-timeout", timeout);
        return next(request);
      };
      const begin = performance.now();
      let frames = 0;
      try {
        for await (const _ of connect(gateway, deadline).watch({})) frames++;
      } catch (error) {
        return { ...failureOf(error), frames, milliseconds: performance.now() - begin };
      }
      throw new Error("the stream ended without an error");
    },
  };
}
