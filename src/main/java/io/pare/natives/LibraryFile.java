package io.pare.natives;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * One shared library as the index of a platform lists it.
 *
 * @param role what it is for: {@code openmp}, {@code onednn}, {@code openblas}, or {@code support} for what those need
 * @param resource its place in the carrier jar
 * @param bytes its size
 * @param sha256 its digest, 64 lower-case hexadecimal digits
 */
record LibraryFile(String role, String resource, long bytes, String sha256) {
    static final String ONEDNN = "onednn";
    static final String OPENBLAS = "openblas";

    /** The last part of the resource's name; the dynamic linker looks for exactly this. */
    String fileName() {
        return resource.substring(resource.lastIndexOf('/') + 1);
    }

    /** Whether this is what is called, and not only what that needs; it comes last of its carrier. */
    boolean isMain() {
        return role.equals(ONEDNN) || role.equals(OPENBLAS);
    }

    /** The libraries of {@code platform} in load order; empty where none are known for it. */
    static List<LibraryFile> index(String platform) {
        try (InputStream in = LibraryFile.class.getResourceAsStream(platform + ".index")) {
            return in == null ? List.of() : parse(in);
        } catch (IOException e) {
            throw new IllegalStateException("cannot read the list of libraries for " + platform, e);
        }
    }

    private static List<LibraryFile> parse(InputStream in) throws IOException {
        List<LibraryFile> files = new ArrayList<>();
        BufferedReader lines = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            if (line.isBlank() || line.startsWith("#")) {
                continue;
            }
            String[] field = line.split(" ");
            files.add(new LibraryFile(field[0], field[1], Long.parseLong(field[2]), field[3]));
        }
        return List.copyOf(files);
    }
}
