package io.pare.natives;

import io.pare.ffm.lookup.Symbols;
import io.pare.natives.LoadedLibrary.Origin;
import java.io.File;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.Linker;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * The native libraries of this process: loaded at most once, when first asked for.
 *
 * <p>Each library is looked for in the folders of {@code -Dpare.native.path}, then in the per-user cache
 * ({@code -Dpare.cache}), then in the carrier jar, from which it is extracted into the cache. What failed on the way is
 * kept in {@link NativeStatus#notes()}.
 *
 * <p>Thread-safe. The libraries stay loaded until the process ends: unloading a library whose threads live would crash.
 * Several class loaders of a JVM may each have their own copy of this class; they share libraries of the same file.
 */
public final class Natives {
    /** Folders to search first, separated as in a class path. */
    public static final String PATH_PROPERTY = "pare.native.path";
    /** The folder that caches extracted libraries. */
    public static final String CACHE_PROPERTY = "pare.cache";
    /** Number of threads that the pools start with; {@link NativeThreads#set} changes it later. */
    public static final String THREADS_PROPERTY = "pare.threads";

    /**
     * Whether settings of OpenMP and OpenBLAS are written into the environment of the process while they are loaded: on, as is
     * usual, or off.
     */
    public static final String ENVIRONMENT_PROPERTY = "pare.env";

    private static final System.Logger LOG = System.getLogger("io.pare.natives");

    private static volatile NativeStatus status;
    private static Throwable cause;
    private static volatile SymbolLookup symbols;

    private Natives() {}

    /**
     * {@return whether operations shall use the native libraries: loads them unless they are off}
     *
     * @throws NativesUnavailableException if {@code -Dpare.native=on} and they cannot be loaded
     */
    public static boolean enabled() {
        NativeStatus now = status();
        if (!now.available() && now.mode() == NativeMode.ON) {
            throw unavailable(now);
        }
        return now.available();
    }

    /**
     * Loads the libraries if they are not loaded yet.
     *
     * @return the state, with what was loaded from where
     * @throws NativesUnavailableException if they are off or cannot be loaded
     */
    public static NativeStatus require() {
        NativeStatus now = status();
        if (!now.available()) {
            throw unavailable(now);
        }
        return now;
    }

    /** {@return the state after a try to load the libraries; with {@code -Dpare.native=off} nothing is tried} */
    public static NativeStatus status() {
        NativeStatus known = status;
        return known != null ? known : loadOnce();
    }

    private static synchronized NativeStatus loadOnce() {
        if (status == null) {
            status = load(NativeMode.fromProperty());
            if (!status.available() && status.mode() == NativeMode.AUTO) {
                LOG.log(System.Logger.Level.WARNING, "native=off reason=auto: " + status.reason());
            }
        }
        return status;
    }

    /** {@return the platform's name as the carrier jars spell it, such as {@code linux-x86_64}} */
    public static String platform() {
        String os = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        String cpu = System.getProperty("os.arch").toLowerCase(Locale.ROOT);
        String system = os.startsWith("mac") ? "macosx" : os.startsWith("windows") ? "windows" : "linux";
        String machine = switch (cpu) {
            case "amd64", "x86_64" -> "x86_64";
            case "aarch64", "arm64" -> "arm64";
            default -> cpu;
        };
        return system + "-" + machine;
    }

    /** {@return the user's cache folder for this program, whether it exists or not} */
    public static Path cacheFolder() {
        String chosen = System.getProperty(CACHE_PROPERTY);
        if (chosen != null) {
            return Path.of(chosen).toAbsolutePath();
        }
        Path home = Path.of(System.getProperty("user.home"));
        if (platform().startsWith("macosx")) {
            return home.resolve("Library/Caches/pare");
        }
        String base = System.getenv(platform().startsWith("windows") ? "LOCALAPPDATA" : "XDG_CACHE_HOME");
        return (base == null || base.isBlank() ? home.resolve(".cache") : Path.of(base)).resolve("pare")
                .toAbsolutePath();
    }

    /**
     * {@return a folder of the cache, made where it is missing; empty where this platform cannot tell whose it is}
     *
     * @param name of the folder
     * @throws IOException if it cannot be made, or another user could change what lies in it
     */
    public static Optional<Path> ownCacheFolder(String name) throws IOException {
        return SafePath.own(cacheFolder().resolve(name));
    }

    private static synchronized NativesUnavailableException unavailable(NativeStatus now) {
        return new NativesUnavailableException(now.reason(), cause);
    }

    private static NativeStatus load(NativeMode mode) {
        String platform = platform();
        if (mode == NativeMode.OFF) {
            return new NativeStatus(mode, platform, false,
                    "switched off by -D" + NativeMode.PROPERTY + "=off; use auto to have oneDNN and OpenBLAS",
                    List.of(),
                    List.of());
        }
        List<String> notes = new ArrayList<>();
        List<LoadedLibrary> loaded = new ArrayList<>();
        try {
            List<LibraryFile> files = LibraryFile.index(platform);
            if (files.isEmpty()) {
                return new NativeStatus(mode, platform, false, "no native libraries are known for " + platform
                        + ": computing in Java; native/README.md lists the platforms", List.of(), List.of());
            }
            if (Linker.nativeLinker().canonicalLayouts().get("long").byteSize() != Long.BYTES) {
                return new NativeStatus(mode, platform, false, "the bindings of this build are for systems whose C long"
                        + " has 64 bits: computing in Java; native/README.md says how to generate them for " + platform,
                        List.of(), List.of());
            }
            boolean written = writesEnvironment();
            if (written) {
                prepareEnvironment();
            }
            LibraryStore store = new LibraryStore(cacheFolder(), platform, files, NativesJar::open);
            List<LibraryFile> group = new ArrayList<>();
            for (LibraryFile file : files) {
                group.add(file);
                if (file.isMain()) {
                    loaded.addAll(loadGroup(group, store, notes));
                    group.clear();
                }
            }
            symbols = loaded.stream().map(library -> open(library.path())).reduce(SymbolLookup::or).orElseThrow();
            Symbols.use(symbols);
            if (!written) {
                NativeThreads.applyAfterLoading();
            }
            return new NativeStatus(mode, platform, true, "loaded from " + origins(loaded), List.copyOf(loaded),
                    List.copyOf(notes));
        } catch (NativesUnavailableException e) {
            cause = e.getCause();
            return new NativeStatus(mode, platform, false, e.getMessage(), List.of(), List.copyOf(notes));
        } catch (IllegalCallerException e) {
            cause = e;
            Module module = Natives.class.getModule();
            return new NativeStatus(mode, platform, false, "this JVM forbids native access (" + e.getMessage()
                    + "): start it with --enable-native-access="
                    + (module.isNamed() ? module.getName() : "ALL-UNNAMED"),
                    List.of(), List.copyOf(notes));
        }
    }

    private static boolean writesEnvironment() {
        String word = System.getProperty(ENVIRONMENT_PROPERTY, "on");
        return switch (word) {
            case "on" -> true;
            case "off" -> false;
            default -> throw new IllegalArgumentException("-D" + ENVIRONMENT_PROPERTY + "=" + word + ": use on or off");
        };
    }

    private static void prepareEnvironment() {
        String threads = Integer.toString(NativeThreads.get());
        ProcessEnvironment.setIfAbsent("OMP_NUM_THREADS", threads);
        // OpenBLAS would start its own pool while it is loaded; NativeThreads says why it gets one thread.
        ProcessEnvironment.setIfAbsent("OPENBLAS_NUM_THREADS", "1");
        if (System.getenv("OMP_WAIT_POLICY") == null) {
            // The first is GNU's name, in turns; the second that of LLVM and Intel, in milliseconds.
            ProcessEnvironment.setIfAbsent("GOMP_SPINCOUNT", Integer.toString(NativeThreads.SPIN_COUNT));
            ProcessEnvironment.setIfAbsent("KMP_BLOCKTIME", "1");
        }
    }

    /** Loads a library and what the carrier brings along for it, all from one place: parts of two do not fit. */
    private static List<LoadedLibrary> loadGroup(List<LibraryFile> group, LibraryStore store, List<String> notes) {
        for (String folder : System.getProperty(PATH_PROPERTY, "").split(File.pathSeparator)) {
            if (!folder.isBlank()) {
                List<LoadedLibrary> loaded = loadFromFolder(Path.of(folder), group, notes);
                if (!loaded.isEmpty()) {
                    return loaded;
                }
            }
        }
        List<LoadedLibrary> loaded = new ArrayList<>();
        for (LibraryFile file : group) {
            loaded.add(loadFromStore(file, store, notes));
        }
        return loaded;
    }

    /** Empty where the folder has not the group's main library, or one that does not load. */
    private static List<LoadedLibrary> loadFromFolder(Path folder, List<LibraryFile> group, List<String> notes) {
        LibraryFile main = group.getLast();
        if (inFolder(folder, main) == null) {
            notes.add(folder + ": no " + main.fileName());
            return List.of();
        }
        if (!isSafe(folder, group, notes)) {
            return List.of();
        }
        List<LoadedLibrary> loaded = new ArrayList<>();
        for (LibraryFile file : group) {
            Path path = inFolder(folder, file);
            // What is not in the folder the dynamic linker finds by itself, or the main library fails to load.
            Throwable failure = path == null ? null : tryLoad(path);
            if (failure != null) {
                notes.add(path + ": " + failure.getMessage());
                return List.of();
            }
            if (path != null) {
                loaded.add(new LoadedLibrary(file.role(), path, Origin.PATH, ""));
            }
        }
        return loaded;
    }

    /** Whether nobody else can change the group's files in {@code folder}; if somebody can, says so at once. */
    private static boolean isSafe(Path folder, List<LibraryFile> group, List<String> notes) {
        try {
            for (LibraryFile file : group) {
                Path path = inFolder(folder, file);
                if (path != null) {
                    SafePath.require(path);
                }
            }
            return true;
        } catch (IOException e) {
            notes.add(folder + ": " + describe(e));
            LOG.log(System.Logger.Level.WARNING, "-D" + PATH_PROPERTY + "=" + folder + " is not used: " + describe(e));
            return false;
        }
    }

    private static LoadedLibrary loadFromStore(LibraryFile file, LibraryStore store, List<String> notes) {
        try {
            Origin origin = Origin.CACHE;
            if (!store.holds(file)) {
                if (store.exists(file)) {
                    notes.add(store.folder().resolve(file.fileName()) + ": damaged, replaced from the carrier jar");
                    store.discard(file);
                }
                store.extract(file);
                origin = Origin.JAR;
            }
            Path path = store.folder().resolve(file.fileName());
            Throwable failure = tryLoad(path);
            if (failure == null) {
                return new LoadedLibrary(file.role(), path, origin, file.sha256());
            }
            notes.add(path + ": " + failure.getMessage());
            throw new NativesUnavailableException("cannot load " + path + " (" + failure.getMessage() + "); if the"
                    + " folder is mounted noexec choose another by -D" + CACHE_PROPERTY + ", if a system library is"
                    + " missing install it, or point -D" + PATH_PROPERTY + " at your own build" + tried(notes),
                    failure);
        } catch (SafePath.Refused e) {
            notes.add(store.folder() + ": " + e.getMessage());
            throw new NativesUnavailableException("no library is loaded from the cache, for " + e.getMessage()
                    + ", or choose another folder by -D" + CACHE_PROPERTY, e);
        } catch (IOException e) {
            notes.add(store.folder() + ": " + describe(e));
            throw new NativesUnavailableException("cannot get " + file.fileName() + " into " + store.folder() + " ("
                    + describe(e) + "); make the folder writable or choose another by -D" + CACHE_PROPERTY
                    + tried(notes), e);
        }
    }

    private static String describe(IOException e) {
        String message = e.getMessage() == null ? "" : ": " + e.getMessage();
        return e.getClass() == IOException.class || e instanceof SafePath.Refused ? e.getMessage()
                : e.getClass().getSimpleName() + message;
    }

    private static String tried(List<String> notes) {
        return notes.isEmpty() ? "" : "; tried: " + String.join("; ", notes);
    }

    /** The file in a folder of the user's, also under the name without the version, as development packages have it. */
    private static Path inFolder(Path folder, LibraryFile file) {
        String name = file.fileName();
        String unversioned = name.contains(".so.") ? name.substring(0, name.indexOf(".so.") + 3) : name;
        for (String candidate : List.of(name, unversioned)) {
            Path path = folder.resolve(candidate).toAbsolutePath();
            if (Files.isRegularFile(path)) {
                return path;
            }
        }
        return null;
    }

    /** Null, or why the library cannot be loaded. */
    @SuppressWarnings("restricted")
    private static Throwable tryLoad(Path path) {
        try {
            open(path);
            return null;
        } catch (IllegalArgumentException e) {
            // It does not say why. The other way to load a library does, but only one class loader of a JVM may go it.
            try {
                System.load(path.toString());
                return e;
            } catch (UnsatisfiedLinkError why) {
                return why;
            }
        }
    }

    /** Opens a library until the process ends, also where another class loader has it already. */
    @SuppressWarnings("restricted")
    private static SymbolLookup open(Path path) {
        return SymbolLookup.libraryLookup(path, Arena.global());
    }

    /** The functions of all libraries, which must be {@link #enabled}. */
    static SymbolLookup symbols() {
        return symbols;
    }

    private static String origins(List<LoadedLibrary> loaded) {
        List<String> origins = loaded.stream().map(l -> l.origin().name().toLowerCase(Locale.ROOT)).distinct().toList();
        return String.join(" and ", origins);
    }
}
