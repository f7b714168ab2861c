import { Faults } from "#core/config/faults.ts"
import type { Values } from "#core/config/settings.ts"
import { UsageError } from "#core/errors.ts"
import type { tenancyProxySettings } from "./settings.ts"

export type TenancyProxyValues = Values<typeof tenancyProxySettings>

/** Compressed, uncompressed, and what it is made into. */
const roomOfRequest = (decodedBytes: number): number => 3 * decodedBytes

/** Throws UsageError where one request could not pass. */
export function requireRoom({ decodedBytes, bytesInFlight, senderBytesInFlight }: TenancyProxyValues): void {
  const faults = new Faults()
  const least = roomOfRequest(decodedBytes)
  for (const [flag, given] of [
    ["--limit.bytes-in-flight", bytesInFlight],
    ["--limit.sender-bytes-in-flight", senderBytesInFlight],
  ] as const) {
    if (given < least)
      faults.add(
        flag,
        `must be at least three times --limit.decoded-bytes, ${least} bytes: a large request needs as much`,
      )
  }
  faults.orThrow(UsageError)
}

/** Bytes of a body that can be accepted: a block has at most a sixth more than what is in it. */
export function bodyLimit({ contentLength, decodedBytes }: TenancyProxyValues) {
  const byDecoded = 32 + decodedBytes + Math.ceil(decodedBytes / 6)
  return contentLength <= byDecoded
    ? { most: contentLength, setting: "--content-length-limit" }
    : { most: byDecoded, setting: "--limit.decoded-bytes, compressed" }
}

/** Of one of several workers: what they may take together is divided among them, but each can take a large request. */
export function shareOf(values: TenancyProxyValues, workers: number): TenancyProxyValues {
  const { bytesInFlight, senderBytesInFlight, queueBytes, queueBytesOfTenant, parallel, decodedBytes } = values
  const share = (of: number): number => Math.ceil(of / workers)
  const room = (of: number): number => Math.max(share(of), roomOfRequest(decodedBytes))
  return {
    ...values,
    bytesInFlight: room(bytesInFlight),
    senderBytesInFlight: room(senderBytesInFlight),
    queueBytes: share(queueBytes),
    queueBytesOfTenant: share(queueBytesOfTenant),
    parallel: share(parallel),
  }
}
