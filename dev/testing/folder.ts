import { mkdtempSync, rmSync } from "node:fs"
import { mkdir, writeFile } from "node:fs/promises"
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
    async write(name, text) {
      const file = join(path, name)
      await mkdir(dirname(file), { recursive: true })
      await writeFile(file, text)
      return file
    },
  }
}
