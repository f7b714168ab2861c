import { listenerSet as families } from "../families/listener-set.ts"
import { kind } from "../kind.ts"

export const listenerSet = kind("ListenerSet", "listenersets", families)
