package io.pare.natives;

import java.io.File;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URLConnection;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Reads shared libraries from the jar that holds them, on the class path or on the module path. */
final class NativesJar {
    private static final String MODULE_PATH = "jdk.module.path";

    private NativesJar() {}

    /** Opens a resource; null where there is none. */
    static InputStream open(String resource) throws IOException {
        InputStream found = NativesJar.class.getClassLoader().getResourceAsStream(resource);
        // No module requires the jar, so on the module path the JVM leaves it out, and no class loader finds it.
        return found != null ? found : open(resource, System.getProperty(MODULE_PATH, ""));
    }

    /** Opens a resource of the first jar of {@code modulePath} that has it: its entries are jars, or folders of jars. */
    static InputStream open(String resource, String modulePath) throws IOException {
        for (String entry : modulePath.split(File.pathSeparator)) {
            for (Path jar : entry.isEmpty() ? List.<Path>of() : jars(Path.of(entry))) {
                URLConnection connection = URI.create("jar:" + jar.toUri() + "!/" + resource).toURL().openConnection();
                // A cached jar would stay open.
                connection.setUseCaches(false);
                try {
                    return connection.getInputStream();
                } catch (FileNotFoundException e) {
                    // Not in this jar.
                }
            }
        }
        return null;
    }

    private static List<Path> jars(Path entry) throws IOException {
        if (Files.isRegularFile(entry)) {
            return List.of(entry);
        }
        List<Path> jars = new ArrayList<>();
        if (Files.isDirectory(entry)) {
            try (DirectoryStream<Path> found = Files.newDirectoryStream(entry, "*.jar")) {
                found.forEach(jars::add);
            }
        }
        return jars;
    }
}
