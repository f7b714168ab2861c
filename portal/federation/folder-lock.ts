import { once } from "node:events"
import { lstatSync, rmSync } from "node:fs"
import { connect, createServer, type Server } from "node:net"
import { join } from "node:path"
import { FedstackError } from "#core/errors.ts"
import { reasonOf } from "#core/files/read-text.ts"
import { logChanges } from "#core/log/changes.ts"
import type { Logger } from "#core/log/logger.ts"
import { folderLocked } from "./errors.ts"

const SOCKET = "portal.sock"

/**
 * Keeps a second portal from a folder that exists, by a socket in it to which only a living process responds, whatever its
 * number and container are. Where there can be no socket, no portal is kept out: one that restarts must never be.
 */
export function lockFolder(folder: string, log: Logger) {
  const path = join(folder, SOCKET)
  let server: Server | undefined
  let first = true
  const report = logChanges((reason?: string) =>
    log.info({ folder, reason }, "another portal that writes here would not be noticed"),
  )

  /** Throws FOLDER_LOCKED while another process has it. True the first time that this one has it. */
  async function acquire(): Promise<boolean> {
    if (server !== undefined) return false
    try {
      server = await listenAlone(path, folder)
    } catch (error) {
      if (error instanceof FedstackError) throw error
      report(reasonOf(error))
    }
    const wasFirst = first
    first = false
    return wasFirst
  }

  async function close(): Promise<void> {
    if (server === undefined) return
    const closed = once(server, "close")
    server.close()
    server = undefined
    await closed
  }

  return { acquire, close }
}

/** One is enough but where several processes find what a killed one left, at the same moment. */
const ATTEMPTS = 3

async function listenAlone(path: string, folder: string): Promise<Server> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await listen(path)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE" || attempt === ATTEMPTS) throw error
    }
    const found = identityOf(path)
    if (await isAlive(path)) throw folderLocked({ folder })
    // a new one's, if it has come meanwhile
    if (identityOf(path) === found) rmSync(path, { force: true })
  }
}

async function listen(path: string): Promise<Server> {
  const server = createServer((connection) => connection.destroy()).unref()
  server.listen(path)
  await once(server, "listening")
  server.on("error", () => undefined) // of a connection that cannot be accepted: its client has seen that the socket is alive
  return server
}

async function isAlive(path: string): Promise<boolean> {
  const connection = connect(path)
  try {
    await once(connection, "connect")
    return true
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException
    if (code === "EAGAIN") return true // many connect at once
    if (code === "ECONNREFUSED" || code === "ENOENT") return false
    throw error
  } finally {
    connection.destroy()
  }
}

/** Numbers of files are used again. */
function identityOf(path: string): string | undefined {
  const status = lstatSync(path, { bigint: true, throwIfNoEntry: false })
  return status && `${status.ino} ${status.ctimeNs}`
}
