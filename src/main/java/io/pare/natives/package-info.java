/**
 * Finds, verifies and loads the shared libraries (oneDNN, OpenBLAS and what they need) and sets up their thread pools.
 *
 * <p>Nothing here mentions the generated bindings, so asking for the status when the libraries are off costs nothing.
 */
package io.pare.natives;
