/** What holds something open: ports, files, timers, threads, connections. */
export interface Closable {
  /** Stops accepting work, finishes what is under way within its own deadline, and frees what it holds. */
  close(): Promise<void>
}

/** Closes in the order given, each even if one before it fails, and then throws the first failure. */
export async function closeAll(parts: readonly Closable[]): Promise<void> {
  const failures: unknown[] = []
  for (const part of parts) {
    try {
      await part.close()
    } catch (error) {
      failures.push(error)
    }
  }
  if (failures.length > 0) throw failures[0]
}
