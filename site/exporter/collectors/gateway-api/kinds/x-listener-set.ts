import { listenerSet } from "../families/listener-set.ts"
import { GATEWAY_API_EXPERIMENTAL, kind } from "../kind.ts"

export const xListenerSet = kind("XListenerSet", "xlistenersets", listenerSet, [GATEWAY_API_EXPERIMENTAL])
