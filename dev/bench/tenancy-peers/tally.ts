import protobuf from "protobufjs"
import { uncompressSync } from "snappy"

/** What a tenant got, such that those who got the same are equal. */
export interface Tally {
  readonly samples: number
  /** Of values and timestamps: as whole numbers, so that their order does not matter. */
  readonly sum: string
}

export type Version = 1 | 2

/** Values are read as their bits. */
const { root } = protobuf.parse(`
syntax = "proto3";
message Sample { fixed64 value = 1; int64 timestamp = 2; }
message V1Series { repeated Sample samples = 2; }
message V1 { repeated V1Series timeseries = 1; }
message V2Series { repeated Sample samples = 2; }
message V2 { repeated V2Series timeseries = 5; }
`)

/** 64 bits. */
interface Long {
  toString(): string
}

interface Decoded {
  readonly timeseries: readonly { readonly samples: readonly { value: Long; timestamp: Long }[] }[]
}

/** Adds up the samples of bodies. */
export class Sum {
  #samples = 0
  #sum = 0n

  add(body: Buffer, version: Version): void {
    const message = root.lookupType(`V${version}`).decode(uncompressSync(body) as Buffer) as unknown as Decoded
    for (const { samples } of message.timeseries) {
      for (const { value, timestamp } of samples) {
        this.#samples++
        this.#sum += BigInt(value.toString()) + BigInt(timestamp.toString())
      }
    }
  }

  get tally(): Tally {
    return { samples: this.#samples, sum: this.#sum.toString() }
  }
}
