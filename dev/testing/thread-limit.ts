import { execFile, spawn } from "node:child_process"
import { randomUUID } from "node:crypto"
import { once } from "node:events"
import { rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { text } from "node:stream/consumers"
import { promisify } from "node:util"
import type { Found } from "./component.ts"

const run = promisify(execFile)
/** The limit is not one for root. */
const NOBODY = 65534

/** In the script: whether its process may have more threads from now on. */
const PREAMBLE = `
  import { once } from "node:events"
  const allowThreads = async (allowed) => {
    process.send({ allowed })
    await once(process, "message")
  }`

/** What a module writes in a process of its own, in which \`await allowThreads(false)\` keeps threads from being started. */
export async function runWithThreadLimit(script: string): Promise<Found<string>> {
  const asOther = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {}
  try {
    await run("prlimit", ["--version"])
    await run(process.execPath, ["-e", `require("fs").accessSync(${JSON.stringify(import.meta.filename)})`], asOther)
  } catch (error) {
    return { missing: `threads cannot be limited here: ${String(error)}` }
  }
  // as a file: threads get the flags of their process, and --input-type would be wrong for theirs
  const file = join(tmpdir(), `fedstack-${randomUUID()}.mjs`)
  await writeFile(file, PREAMBLE + script)
  const child = spawn(process.execPath, [file], {
    ...asOther,
    stdio: ["ignore", "pipe", "inherit", "ipc"],
    timeout: 30_000,
  })
  child.on("message", ({ allowed }: { readonly allowed: boolean }) => {
    void run("prlimit", ["--pid", String(child.pid), `--nproc=${allowed ? 10_000 : 1}:`], asOther).then(() =>
      child.send("done"),
    )
  })
  const [output, [code, signal]] = await Promise.all([
    text(child.stdout as NodeJS.ReadableStream),
    once(child, "close") as Promise<[number | null, NodeJS.Signals | null]>,
  ])
  await rm(file)
  return { value: code === 0 ? output : `${output}ended with ${code ?? signal}\n` }
}
