/** A program that embeds Pare. */
module embed {
    requires io.pare.engine;
}
