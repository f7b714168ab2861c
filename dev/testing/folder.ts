import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import type { TestContext } from "node:test"

/** A folder that is gone after the test, and how to write files in it. */
export function temporaryFolder(test: TestContext): {
  readonly path: string
  readonly write: (name: string, text: string) => Promise<string>
} {
  const path = mkdtempSync(join(tmpdir(), "fedstack-test-"))
  test.after(() => rmSync(path, { recursive: true, force: true }))
  return {
    path,
    // written when the call returns: who follows files in this process sees none that is half written, and several that
    // are written before the next turn of the event loop at once
    write(name, text) {
      const file = join(path, name)
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, text)
      return Promise.resolve(file)
    },
  }
}
