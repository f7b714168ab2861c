import { metadata } from "../families/metadata.ts"
import { parents } from "../families/parents.ts"
import { kind } from "../kind.ts"

export const tcpRoute = kind("TCPRoute", "tcproutes", [...metadata, ...parents])
