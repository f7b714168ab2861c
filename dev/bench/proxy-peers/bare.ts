import { readFileSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"

// Node's own HTTP server with a body and headers that are ready: what a request costs where nothing is checked or logged.
const [file = "", headers = "[]"] = process.argv.slice(2)
const body = readFileSync(file)
const ready = JSON.parse(headers) as string[]
const server = createServer({ keepAliveTimeout: 310_000 }, (_, response) => {
  response.writeHead(200, ready)
  response.end(body)
}).listen(0, "127.0.0.1", () => process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}\n`))
