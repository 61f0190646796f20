// The flags that a server's Node is started with. Plain Node, no packages.

/**
 * Posted bodies come and go outside the heap, and with a small heap V8 looks through it for each few megabytes of them: a third
 * of all CPU under load. With 200 MB to begin with it rarely has to; memory that is not used is not taken.
 */
export const nodeFlags = ["--initial-heap-size=200"];
