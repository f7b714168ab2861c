import { once } from "node:events"
import type { Server } from "node:http"
import type { Server as TlsServer } from "node:https"
import type { AddressInfo } from "node:net"
import type { TestContext } from "node:test"

/** The port of 127.0.0.1 on which a server listens from now on; closed after the test. */
export async function listen(test: TestContext, server: Server | TlsServer): Promise<number> {
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  test.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}
