/**
 * The list of backends: {@link io.pare.exec.backend.Backends}, chosen by {@link io.pare.exec.backend.Precision} and by whether
 * native libraries may be used.
 *
 * <p>A further backend is a factory in a package of its own, see {@code exec}, and a line here. Public.
 *
 * <p>May use {@code exec}, {@code exec.java}, {@code exec.onednn}, {@code exec.sparse} and {@code dnnl}.
 */
@NullMarked
package io.pare.exec.backend;

import org.jspecify.annotations.NullMarked;
