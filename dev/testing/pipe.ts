import { spawn } from "node:child_process"
import { once } from "node:events"
import { closeSync, constants, openSync } from "node:fs"
import type { TestContext } from "node:test"

/** Has a shell write what `script` prints to this named pipe. Returns when it has opened the pipe, before all is written. */
export async function writeTo(
  t: TestContext,
  pipe: string,
  script: string,
): Promise<{ readonly written: Promise<unknown> }> {
  // an end that is open to be read, so that the shell's open does not wait for one, nor the test for the shell
  const reader = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK)
  t.after(() => closeSync(reader))
  const shell = spawn("sh", ["-c", 'exec 3>"$0"; echo opened; exec >&3; eval "$1"', pipe, script])
  const written = once(shell, "close")
  await once(shell.stdout, "data")
  return { written }
}
