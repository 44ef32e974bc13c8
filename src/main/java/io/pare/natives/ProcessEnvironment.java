package io.pare.natives;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * The C side of the process's environment. Java's own view of it does not change.
 *
 * <p>OpenMP and OpenBLAS read their variables once, while they are loaded, so this is the only way to pass settings
 * to them without a new process.
 */
final class ProcessEnvironment {
    private ProcessEnvironment() {}

    /** Sets {@code name} unless the user has set it. Not thread-safe: called once, before the libraries are loaded. */
    @SuppressWarnings("restricted")
    static void setIfAbsent(String name, String value) {
        if (System.getenv(name) != null) {
            return;
        }
        boolean windows = System.getProperty("os.name").startsWith("Windows");
        Linker linker = Linker.nativeLinker();
        String function = windows ? "_putenv_s" : "setenv";
        FunctionDescriptor descriptor = windows
                ? FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS)
                : FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS,
                        ValueLayout.JAVA_INT);
        MethodHandle handle = linker.downcallHandle(linker.defaultLookup().findOrThrow(function), descriptor);
        try (Arena arena = Arena.ofConfined()) {
            int status = windows
                    ? (int) handle.invokeExact(arena.allocateFrom(name), arena.allocateFrom(value))
                    : (int) handle.invokeExact(arena.allocateFrom(name), arena.allocateFrom(value), 0);
            if (status != 0) {
                throw new NativeException(function, status, "failed", name + "=" + value);
            }
        } catch (Error | RuntimeException e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }
}
