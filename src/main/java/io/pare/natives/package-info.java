/**
 * Finds, verifies and loads the shared libraries (oneDNN, OpenBLAS and what they need) and sets up their thread pools.
 *
 * <p>Nothing here mentions the generated bindings, so asking for the status when the libraries are off costs nothing.
 *
 * <p>Public. Begin with {@link io.pare.natives.Natives#enabled()} and {@link io.pare.natives.NativeThreads}.
 *
 * <p>May use {@code ffm.lookup}, {@code mem} and {@code file}.
 */
@NullMarked
package io.pare.natives;

import org.jspecify.annotations.NullMarked;
