package io.pare.ffm.lookup;

import java.lang.foreign.SymbolLookup;
import java.util.Optional;

/**
 * Where the generated bindings look their functions up.
 *
 * <p>What jextract generates looks in the libraries that the class loader of the bindings has loaded by
 * {@code System.load}. The JVM lets only one class loader load a library, so a second copy of Pare in the same JVM, in
 * another web application or plug-in, would find none. Here each copy says which libraries it means.
 */
public final class Symbols {
    private static volatile SymbolLookup libraries;

    private Symbols() {}

    /**
     * Says where to look, before the first use of the bindings, after what was said before.
     *
     * @param opened the libraries
     */
    public static synchronized void use(SymbolLookup opened) {
        libraries = libraries == null ? opened : libraries.or(opened);
    }

    /** {@return a lookup in what was set by then: constants of the bindings are read before anything is loaded} */
    public static SymbolLookup lookup() {
        return name -> libraries == null ? Optional.empty() : libraries.find(name);
    }
}
