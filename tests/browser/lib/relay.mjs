/** A wire between the browser and the gateway that can be cut, which a browser's own offline mode does not do to open streams. */
import { connect, createServer } from "node:net";

/** Relays a free port of loopback to the gateway's; returns its base URL and what cuts, mends and removes it. */
export async function relay(gateway) {
  const { hostname, port } = new URL(gateway);
  const open = new Set();
  let isCut = false;
  const join = (near) => {
    if (isCut) return near.destroy();
    const far = connect({ host: hostname, port: Number(port) });
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ]) {
      open.add(socket);
      socket.setNoDelay(true);
      socket.on("error", () => other.destroy());
      socket.on("close", () => open.delete(socket) && other.destroy());
      socket.pipe(other);
    }
  };
  const server = createServer(join);
  await new Promise((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", resolve));
  const cut = () => {
    isCut = true;
    for (const socket of open) socket.destroy();
  };
  const stop = () => {
    cut();
    return new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://127.0.0.1:${server.address().port}`, cut, mend: () => (isCut = false), stop };
}
