/**
 * Memory as native code sees it, by address: {@link io.pare.mem.direct.Unconfined} checks ranges and addresses them,
 * {@link io.pare.mem.direct.KeepAlive} keeps them allocated meanwhile.
 *
 * <p>Internal: who may call this may read and write the whole process.
 *
 * <p>May use {@code mem}.
 */
package io.pare.mem.direct;
