package io.pare.natives;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.dnnl.DnnlEngine;
import java.io.File;
import java.io.IOException;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Web applications and plug-ins each bring a class loader, and maybe Pare. */
@Tag("native")
class ClassLoadersTest {
    @Test
    void everyClassLoaderHasTheLibraries() throws IOException, ReflectiveOperationException {
        DnnlEngine.get();
        URL[] path = Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
                .map(ClassLoadersTest::url).toArray(URL[]::new);
        try (URLClassLoader other = new URLClassLoader(path, ClassLoader.getPlatformClassLoader())) {
            Class<?> natives = other.loadClass(Natives.class.getName());
            assertNotSame(Natives.class, natives);
            assertEquals(true, natives.getMethod("enabled").invoke(null));
            // Calls oneDNN through bindings of that class loader.
            Object engine = other.loadClass(DnnlEngine.class.getName()).getMethod("get").invoke(null);
            assertNotSame(DnnlEngine.class, engine.getClass());
            Class<?> threads = other.loadClass(NativeThreads.class.getName());
            int before = NativeThreads.get();
            threads.getMethod("set", int.class).invoke(null, before);
            assertEquals(before, threads.getMethod("get").invoke(null));
            assertTrue(Natives.enabled());
        }
    }

    private static URL url(String entry) {
        try {
            return Path.of(entry).toUri().toURL();
        } catch (MalformedURLException e) {
            throw new AssertionError(entry, e);
        }
    }
}
