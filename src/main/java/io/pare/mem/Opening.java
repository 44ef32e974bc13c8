package io.pare.mem;

import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Where an object was opened that is to be closed, for reports of those that are not. */
public final class Opening extends Exception {
    private static final long serialVersionUID = 1L;

    private static final boolean DEBUG_LEAKS = Boolean.getBoolean("pare.debug.leaks");

    private Opening() {
        super("opened by thread '" + Thread.currentThread().getName() + "'");
    }

    /** {@return where the caller is; {@code null} unless leaks are looked for, with {@code -Dpare.debug.leaks=true}} */
    public static @Nullable Opening here() {
        return DEBUG_LEAKS ? new Opening() : null;
    }

    /** The thread and the stack, a line each, without what opened the region. */
    String describe() {
        StringBuilder text = new StringBuilder("    " + getMessage() + "\n");
        Set<String> own = Set.of(Opening.class.getName(), Region.class.getName());
        Stream.of(getStackTrace()).filter(frame -> !own.contains(frame.getClassName())).forEach(
                frame -> text.append("        at ").append(frame).append('\n'));
        return text.toString();
    }
}
