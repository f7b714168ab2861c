import fc from "fast-check"

// loaded before a test file where FEDSTACK_TEST_SEED is set: properties that set no seed of their own draw by it
fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(process.env.FEDSTACK_TEST_SEED) })
