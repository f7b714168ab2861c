/** Where a group stands in a tenant's rules: in a namespace of the ruler (a folder of rules), by its name. */
export interface GroupAddress {
  readonly namespace: string
  readonly name: string
}

/** Both parts may hold any character, so it is not to be split. */
export function addressKey({ namespace, name }: GroupAddress): string {
  return JSON.stringify([namespace, name])
}
