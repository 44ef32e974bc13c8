package io.pare.natives;

import java.util.List;

/**
 * Whether the native libraries are in use, and if not, why not.
 *
 * @param mode what was asked for
 * @param platform the platform, as the carriers name it, e.g. {@code linux-x86_64}
 * @param available whether the libraries are loaded
 * @param reason one line: why they are or are not available, with the remedy
 * @param libraries what is loaded, in load order; empty if not available
 * @param notes what was tried and did not work, even if another try did
 */
public record NativeStatus(NativeMode mode, String platform, boolean available, String reason,
        List<LoadedLibrary> libraries, List<String> notes) {}
