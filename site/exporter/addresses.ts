import { UsageError } from "#core/errors.ts"
import { type Address, listenAddress } from "#core/config/settings.ts"

/** How an exporter can be told where to listen: by the original's flag for a port, or by addresses. */
export interface Listening {
  readonly flag: string
  readonly port: number | undefined
  readonly addresses: readonly Address[]
  /** Where neither is set. */
  readonly otherwise: string
}

/** Where to listen. Throws UsageError if the flags say different things. */
export function chooseAddresses({ flag, port, addresses, otherwise }: Listening): readonly Address[] {
  if (port === undefined) return addresses.length > 0 ? addresses : [listenAddress(otherwise) as Address]
  if (addresses.length === 0) return [{ host: "", port }]
  if (addresses.every((address) => address.port === port)) return addresses
  const message = `is ${port}, but --web.listen-address names another port. Set only one of the two`
  throw new UsageError([{ where: flag, message }])
}
