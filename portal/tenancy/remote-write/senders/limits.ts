import type { LimitEntry } from "../../../sites/sender-keys.ts"
import type { SenderLimits } from "./sender.ts"

/** What is not given is not limited here: the server's own bounds hold for all senders together. */
export const readSenderLimits = (given: LimitEntry): SenderLimits => ({
  concurrent: given.concurrent ?? Infinity,
  requestsPerSecond: given.requests_per_second ?? Infinity,
  bytesInFlight: given.bytes_in_flight ?? Infinity,
  samplesPerSecond: given.samples_per_second ?? Infinity,
})
