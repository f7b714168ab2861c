import { spawn } from "node:child_process"
import { once } from "node:events"

export interface Finished {
  /** 0: nothing was found wrong. */
  readonly code: number
  /** Both streams, as written. */
  readonly output: string
  readonly stdout: string
}

/** Runs a program without standard input; after `seconds`, or where it cannot be started, the code is 1 and the output has the reason. */
export async function command(name: string, args: readonly string[], root: string, seconds = 300): Promise<Finished> {
  const child = spawn(name, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"], timeout: seconds * 1000 })
  let [output, stdout] = ["", ""]
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text
    stdout += text
  })
  child.stderr.setEncoding("utf8").on("data", (text: string) => (output += text))
  try {
    const [code, signal] = (await once(child, "close")) as [number | null, string | null]
    if (code !== null) return { code, output, stdout }
    return { code: 1, output: `${output}\n${name} was ended by ${signal} (it may take ${seconds} s)`, stdout }
  } catch (error) {
    return { code: 1, output: `${name} cannot be started: ${String(error)}`, stdout }
  }
}
