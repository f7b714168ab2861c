import { once } from "node:events"
import { lstatSync, rmSync } from "node:fs"
import { connect, createServer, type Server } from "node:net"
import { join } from "node:path"
import type { Closable } from "#core/closable.ts"
import { FedstackError } from "#core/errors.ts"
import { reasonOf } from "#core/files/read-text.ts"
import type { Logger } from "#core/log/logger.ts"
import { folderTaken } from "./errors.ts"

const SOCKET = "portal.sock"

export interface Claim extends Closable {
  /** Throws FOLDER_TAKEN while another process has the folder. True the first time that it is ours. */
  take(): Promise<boolean>
}

/**
 * Keeps a second portal from a folder that exists, by a socket in it that only a living process answers, whatever its number
 * and container are. Where there can be none, nobody is kept out: a portal that starts again must never be.
 */
export function claimFolder(folder: string, log: Logger): Claim {
  const path = join(folder, SOCKET)
  let server: Server | undefined
  let first = true
  let told = ""

  async function take(): Promise<boolean> {
    if (server !== undefined) return false
    try {
      server = await claim(path, folder)
    } catch (error) {
      if (error instanceof FedstackError) throw error
      const reason = reasonOf(error)
      if (reason !== told) log.info({ folder, reason }, "another portal that writes here would not be noticed")
      told = reason
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

  return { take, close }
}

/** One is enough but where several processes find what a killed one left, at the same moment. */
const ATTEMPTS = 3

async function claim(path: string, folder: string): Promise<Server> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await listen(path)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE" || attempt === ATTEMPTS) throw error
    }
    const found = identityOf(path)
    if (await isAnswered(path)) throw folderTaken({ folder })
    // another one's, if it has come meanwhile
    if (identityOf(path) === found) rmSync(path, { force: true })
  }
}

async function listen(path: string): Promise<Server> {
  const server = createServer((asking) => asking.destroy()).unref()
  server.listen(path)
  await once(server, "listening")
  server.on("error", () => undefined) // of a connection that can't be taken: who asks has seen that it is answered
  return server
}

async function isAnswered(path: string): Promise<boolean> {
  const asking = connect(path)
  try {
    await once(asking, "connect")
    return true
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException
    if (code === "EAGAIN") return true // many ask at once
    if (code === "ECONNREFUSED" || code === "ENOENT") return false
    throw error
  } finally {
    asking.destroy()
  }
}

/** Numbers of files are used again. */
function identityOf(path: string): string | undefined {
  const status = lstatSync(path, { bigint: true, throwIfNoEntry: false })
  return status && `${status.ino} ${status.ctimeNs}`
}
