package io.pare.data;

import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What becomes of images that are damaged, transparent or not of red, green and blue, with a count of them. Thread-safe.
 *
 * <p>Each is named once, in a line of its own.
 */
public final class OddImages {
    /** What to do with an image. */
    public enum Rule {
        /** Take what can be made of it. */
        CONVERT,
        /** Name it and go on without it. */
        SKIP,
        /** Name it and stop. */
        REFUSE;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    private final Rule damaged;
    private final Rule foreign;
    private final Background background;
    private final Consumer<String> notes;
    private final Map<Path, String> skipped = new ConcurrentHashMap<>();
    private final Map<Path, String> converted = new ConcurrentHashMap<>();
    private final AtomicInteger leftOut = new AtomicInteger();

    /**
     * Makes rules that nothing has met yet.
     *
     * @param damaged rule for images that cannot be read: skip or refuse
     * @param foreign rule for those that can and have other colours than the network's input
     * @param background what transparent images are laid upon, or {@code null} to drop their transparency
     * @param notes takes a line for each image that is skipped, and one for files that are not read
     */
    public OddImages(Rule damaged, Rule foreign, @Nullable Background background, Consumer<String> notes) {
        if (damaged == Rule.CONVERT) {
            throw new IllegalArgumentException("a damaged image cannot be converted: skip or refuse it");
        }
        this.damaged = damaged;
        this.foreign = foreign;
        this.background = background;
        this.notes = notes;
    }

    /**
     * Drops transparency.
     *
     * @param damaged what to do with images that cannot be decoded
     * @param foreign what to do with images of other colours than asked for
     * @param notes told what was done, a line each
     */
    public OddImages(Rule damaged, Rule foreign, Consumer<String> notes) {
        this(damaged, foreign, null, notes);
    }

    /** {@return rules that stop at the first damaged image and convert foreign colours} */
    public static OddImages refused() {
        return new OddImages(Rule.REFUSE, Rule.CONVERT, line -> {
        });
    }

    /** What transparent images are laid upon, or {@code null}. */
    Background background() {
        return background;
    }

    /**
     * Says that files of {@code place} are not read, as images of other formats.
     *
     * @param place where they lie
     * @param others what they are
     */
    public void leftOut(Path place, PictureFormats.Others others) {
        leftOut(place, others, "read are " + PictureFormats.endings());
    }

    /** Says that files of {@code place} are not read, and why. */
    void leftOut(Path place, PictureFormats.Others others, String reason) {
        if (others.total() > 0) {
            notes.accept("left out of " + place + ": " + others + " (" + reason + ")");
            leftOut.addAndGet(others.total());
        }
    }

    /** {@return files that were left out unread} */
    public int leftOut() {
        return leftOut.get();
    }

    /** An image that cannot be read: throws, or returns and it is left out. */
    void damaged(Path file, String reason) {
        if (damaged == Rule.REFUSE) {
            throw new DataException(
                    file + " " + reason + ": replace or remove it, or skip such images (--damaged skip)");
        }
        skip(file, reason);
    }

    /** An image of other colours: says whether it is taken. */
    boolean foreign(Path file, String colours) {
        switch (foreign) {
            case CONVERT -> converted.put(file, colours);
            case SKIP -> skip(file, "is " + colours);
            default -> throw new DataException(file + " is " + colours + ", not red, green and blue: convert or remove"
                    + " it, or take or skip such images (--non-rgb convert or skip)");
        }
        return foreign == Rule.CONVERT;
    }

    private void skip(Path file, String reason) {
        if (skipped.put(file, reason) == null) {
            notes.accept("skipped " + file + ": it " + reason);
        }
    }

    /** {@return how many images were left out} */
    public int skipped() {
        return skipped.size();
    }

    /** {@return how many images of other colours were taken} */
    public int converted() {
        return converted.size();
    }
}
